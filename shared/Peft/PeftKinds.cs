using System.Collections.Frozen;

namespace Federated.Shared.Peft;

/// <summary>The kinds of adapter this program reads and writes, by <c>peft_type</c>: a new one is one file and one line here.</summary>
public static class PeftKinds
{
    private static readonly FrozenDictionary<string, Func<JsonFields, PeftConfig>> Readers = new Dictionary<string, Func<JsonFields, PeftConfig>>(StringComparer.Ordinal)
    {
        [AdaLoraConfig.Kind] = AdaLoraConfig.Read,
        [BoftConfig.Kind] = BoftConfig.Read,
        [FourierFtConfig.Kind] = FourierFtConfig.Read,
        [HraConfig.Kind] = HraConfig.Read,
        [Ia3Config.Kind] = Ia3Config.Read,
        [LnTuningConfig.Kind] = LnTuningConfig.Read,
        [LohaConfig.Kind] = LohaConfig.Read,
        [LokrConfig.Kind] = LokrConfig.Read,
        [LoraConfig.Kind] = LoraConfig.Read,
        [OftConfig.Kind] = OftConfig.Read,
        [PTuningConfig.Kind] = PTuningConfig.Read,
        [PrefixTuningConfig.Kind] = PrefixTuningConfig.Read,
        [PromptTuningConfig.Kind] = PromptTuningConfig.Read,
        [VbLoraConfig.Kind] = VbLoraConfig.Read,
        [VeraConfig.Kind] = VeraConfig.Read,
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Readers.Keys.Order(StringComparer.Ordinal)];

    /// <summary>What reads a kind's own fields; null for an unknown kind.</summary>
    internal static Func<JsonFields, PeftConfig>? Reader(string name) => Readers.GetValueOrDefault(name);
}
