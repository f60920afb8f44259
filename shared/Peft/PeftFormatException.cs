namespace Federated.Shared.Peft;

/// <summary>An adapter's configuration or tensors that break the PEFT layout, or ask for what is not supported; the message lists every fault.</summary>
public sealed class PeftFormatException : FormatException
{
    /// <summary>Makes the error.</summary>
    /// <param name="message">What, where, got, wanted, way out.</param>
    /// <param name="inner">The parser's own error, if any.</param>
    public PeftFormatException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    internal static PeftFormatException Of(string source, IReadOnlyList<string> faults) =>
        new(faults.Count == 1 ? $"{source}: {faults[0]}" : $"{source}: {faults.Count} faults:\n  {string.Join("\n  ", faults)}");
}
