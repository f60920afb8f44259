using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of (IA)³: vectors that scale what a layer puts out, or what a feed-forward layer takes in.</summary>
public sealed record Ia3Config : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "IA3";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>Which of the adapted modules scale their input; names match any end of a module's name, a dot before or not.</summary>
    public ModuleSelector FeedforwardModules { get; init; } = ModuleSelector.None;

    /// <summary>Whether the base stores its weights as (in, out), as GPT-2 does.</summary>
    public bool FanInFanOut { get; init; }

    /// <summary>Whether the vectors start at one, so that nothing changes; otherwise normal.</summary>
    public bool InitWeights { get; init; } = true;

    internal override CommonFields Common => CommonFields.Targets | CommonFields.ModulesToSave;

    /// <summary>Whether a module scales its input.</summary>
    /// <param name="module">Full module name.</param>
    public bool IsFeedforward(string module) => FeedforwardModules.Names is { } names
        ? names.Any(name => module.EndsWith(name, StringComparison.Ordinal))
        : FeedforwardModules.Matches(module);

    internal static PeftConfig Read(JsonFields fields) => new Ia3Config
    {
        FeedforwardModules = fields.Selector("feedforward_modules", mayBeEmpty: true) ?? ModuleSelector.None,
        FanInFanOut = fields.Flag("fan_in_fan_out", false),
        InitWeights = fields.Flag("init_ia3_weights", true),
    };

    internal override void Write(JsonObject json)
    {
        json["feedforward_modules"] = PeftJson.Of(FeedforwardModules);
        json["fan_in_fan_out"] = FanInFanOut;
        json["init_ia3_weights"] = InitWeights;
    }
}
