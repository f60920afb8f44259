using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>How LoKr's factors start.</summary>
public enum LokrInit
{
    /// <summary>The left factor zero, the right one random: the change starts at zero.</summary>
    LeftZero,

    /// <summary>The right factor zero, the left one random, as in the LyCORIS project: the change starts at zero.</summary>
    RightZero,

    /// <summary>Both random.</summary>
    Random,
}

/// <summary>The settings of LoKr, whose change is a Kronecker product of two matrices.</summary>
public sealed record LokrConfig : LycorisConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "LOKR";

    private const string Lycoris = "lycoris";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Whether the left factor too is a product of two matrices of rank r, if that makes it smaller.</summary>
    public bool DecomposeBoth { get; init; }

    /// <summary>The left factor's wanted size; -1 for the square root of the layer's, 1 or more otherwise.</summary>
    public int DecomposeFactor { get; init; } = -1;

    /// <summary>Whether what <see cref="LycorisConfig.RankDropout"/> leaves is scaled up by what it took.</summary>
    public bool RankDropoutScale { get; init; }

    /// <summary>How the factors start.</summary>
    public LokrInit InitWeights { get; init; }

    internal static PeftConfig Read(JsonFields fields) => Read(fields, new LokrConfig
    {
        DecomposeBoth = fields.Flag("decompose_both", false),
        DecomposeFactor = (int)fields.Number("decompose_factor", -1, IsFactor, "-1, or a whole number from 1 to 1048576"),
        RankDropoutScale = fields.Flag("rank_dropout_scale", false),
        InitWeights = Init(fields),
    });

    internal override void Write(JsonObject json)
    {
        base.Write(json);
        json["decompose_both"] = DecomposeBoth;
        json["decompose_factor"] = DecomposeFactor;
        json["rank_dropout_scale"] = RankDropoutScale;
        json["init_weights"] = InitWeights == LokrInit.RightZero ? Lycoris : InitWeights == LokrInit.LeftZero;
    }

    private static bool IsFactor(double value) => value == -1 || (value is >= 1 and <= 1048576 && value == Math.Floor(value));

    private static LokrInit Init(JsonFields fields) =>
        fields.TryGet("init_weights", out JsonElement value) && value.ValueKind == JsonValueKind.String
            ? fields.Choice("init_weights", LokrInit.RightZero, (Lycoris, LokrInit.RightZero))
            : fields.Flag("init_weights", true) ? LokrInit.LeftZero : LokrInit.Random;
}
