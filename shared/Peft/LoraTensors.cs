using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>Holds the tensors of a LoRA adapter against its settings: every name known, factors in pairs, ranks as the settings say.</summary>
internal static class LoraTensors
{
    internal static IEnumerable<string> Faults(LoraConfig config, NamedTensors tensors)
    {
        foreach (string text in tensors.Names)
        {
            if (!PeftNames.TryParse(text, out PeftTensorName? name))
            {
                yield return $"tensor '{text}' is none of a LoRA adapter.";
                continue;
            }

            if (CheckPartner(config, tensors, name) is { } partner)
                yield return partner;
            if (CheckRank(config, name, tensors.Shape(text)) is { } rank)
                yield return $"tensor '{text}' {rank}";
        }
    }

    private static string? CheckPartner(LoraConfig config, NamedTensors tensors, PeftTensorName name)
    {
        PeftPart? partner = name.Part switch
        {
            PeftPart.LoraA => PeftPart.LoraB,
            PeftPart.LoraB or PeftPart.Magnitude => PeftPart.LoraA,
            PeftPart.EmbeddingA => PeftPart.EmbeddingB,
            PeftPart.EmbeddingB => PeftPart.EmbeddingA,
            _ => null,
        };
        if (partner is { } part && !tensors.Contains(PeftNames.Format(new(name.Module, part))))
            return $"module '{name.Module}' has {name.Part} but no {part}.";
        if (name.Part == PeftPart.Magnitude && !config.UseDora)
            return $"module '{name.Module}' has DoRA magnitudes, but use_dora is false.";

        return name.Part == PeftPart.LoraA && config.UseDora && !tensors.Contains(PeftNames.Magnitude(name.Module))
            ? $"module '{name.Module}' has no DoRA magnitudes, but use_dora is true."
            : null;
    }

    private static string? CheckRank(LoraConfig config, PeftTensorName name, IReadOnlyList<long> shape)
    {
        int? dimension = name.Part switch
        {
            PeftPart.LoraA or PeftPart.EmbeddingA => 0,
            PeftPart.LoraB or PeftPart.EmbeddingB => 1,
            _ => null,
        };
        if (dimension is not { } d)
            return null;

        int rank = config.RankOf(name.Module);
        return shape.Count >= 2 && shape[d] == rank
            ? null
            : $"has shape ({string.Join(", ", shape)}); the settings give rank {rank}, wanted in dimension {d}.";
    }
}
