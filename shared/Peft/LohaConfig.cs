using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of LoHa, whose change is an elementwise product of two low-rank matrices.</summary>
public sealed record LohaConfig : LycorisConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "LOHA";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Whether the change starts at zero; else all factors are random.</summary>
    public bool InitWeights { get; init; } = true;

    internal static PeftConfig Read(JsonFields fields) => Read(fields, new LohaConfig { InitWeights = fields.Flag("init_weights", true) });

    internal override void Write(JsonObject json)
    {
        base.Write(json);
        json["init_weights"] = InitWeights;
    }
}
