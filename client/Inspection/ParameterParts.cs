using Federated.Client.Models;

namespace Federated.Client.Inspection;

/// <summary>Which part of a model a parameter belongs to, by the names that Hugging Face's architectures use.</summary>
internal static class ParameterParts
{
    internal const string Embeddings = "embeddings", Attention = "attention", FeedForward = "feed_forward", Norms = "norms", Head = "head";

    private static readonly string[] NamesOfTables = ["wte", "wpe", "stem"];

    /// <summary>Numbers by part, parts in this order; those without numbers are left out.</summary>
    internal static IReadOnlyDictionary<string, long> Count(PretrainedModel model, IEnumerable<string> parameters)
    {
        string[] heads = [.. model.Head.Modules.Select(module => module.Name), .. Architectures.Of(model.Config).HeadParts];
        Dictionary<string, long> sizes = model.Parameters.ToDictionary(parameter => parameter.Name, parameter => parameter.Value.numel(), StringComparer.Ordinal);
        Dictionary<string, long> counts = new[] { Embeddings, Attention, FeedForward, Norms, Head }.ToDictionary(part => part, _ => 0L, StringComparer.Ordinal);
        foreach (string name in parameters)
            counts[Of(name, heads)] += sizes[name];
        return counts.Where(count => count.Value > 0).ToDictionary(StringComparer.Ordinal);
    }

    private static string Of(string name, string[] heads)
    {
        string[] path = name.Split('.');
        string module = path.Length > 1 ? path[^2] : "";
        if (heads.Any(head => name.StartsWith(head + ".", StringComparison.Ordinal)))
            return Head;
        if (module.Contains("norm", StringComparison.OrdinalIgnoreCase) || module.StartsWith("ln_", StringComparison.Ordinal))
            return Norms;
        if (path.Any(step => step.Contains("embed", StringComparison.Ordinal) || NamesOfTables.Contains(step)))
            return Embeddings;
        return path.Any(step => step.Contains("attn", StringComparison.Ordinal) || step.Contains("attention", StringComparison.Ordinal)) ? Attention : FeedForward;
    }
}
