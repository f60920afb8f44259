using Federated.Shared.Tensors;

namespace Federated.Shared.Peft;

/// <summary>An adapter's configuration or tensors that break the PEFT layout, or ask for what is not supported; the message lists the faults.</summary>
public sealed class PeftFormatException : FormatException
{
    private const int MostListed = 40;
    private const int MostCharacters = 500;

    /// <summary>Makes the error.</summary>
    /// <param name="message">What, where, got, wanted, way out.</param>
    /// <param name="inner">The parser's own error, if any.</param>
    public PeftFormatException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>One error out of all faults. They quote what an attacker may have written: the first 40 are spelled out, escaped and cut, the rest counted.</summary>
    internal static PeftFormatException Of(string source, IReadOnlyList<string> faults)
    {
        string[] listed = [.. faults.Take(MostListed).Select(fault => TensorText.Printable(fault, MostCharacters))];
        string rest = faults.Count > MostListed ? $"\n  and {faults.Count - MostListed} more" : "";
        return new(faults.Count == 1 ? $"{source}: {listed[0]}" : $"{source}: {faults.Count} faults:\n  {string.Join("\n  ", listed)}{rest}");
    }
}
