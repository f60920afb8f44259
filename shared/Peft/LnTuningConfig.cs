using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The settings of LN tuning: the chosen norms train whole.</summary>
public sealed record LnTuningConfig : PeftConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "LN_TUNING";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    internal override CommonFields Common => CommonFields.Targets | CommonFields.ModulesToSave;

    internal static PeftConfig Read(JsonFields fields) => new LnTuningConfig();

    internal override void Write(JsonObject json)
    {
    }
}
