namespace Federated.Client.Models;

/// <summary>Which parameter a stored tensor is for: checkpoints of one architecture spell names in more than one way.</summary>
/// <param name="architecture">What the checkpoint is of.</param>
/// <param name="parameters">The model's parameter names.</param>
internal sealed class TensorNames(Architecture architecture, IReadOnlySet<string> parameters)
{
    // TensorFlow's names for the scale and shift of a layer norm, which the first PyTorch conversions kept.
    private static readonly (string Old, string New)[] Ends = [(".gamma", ".weight"), (".beta", ".bias")];

    /// <summary>The parameter that a stored tensor fills: the one of its name, or of its name in today's spelling and with the backbone's; null if there is none.</summary>
    internal string? ParameterOf(string stored)
    {
        foreach (string name in Spellings(stored))
        {
            if (parameters.Contains(name))
                return name;
            if ($"{architecture.BackboneName}.{name}" is var whole && parameters.Contains(whole))
                return whole;
        }

        return null;
    }

    /// <summary>Whether a stored tensor that fills no parameter is no sign of a wrong checkpoint.</summary>
    /// <param name="stored">Its name.</param>
    /// <param name="newHead">Whether the model gets a head that the checkpoint does not have.</param>
    internal bool MayBeIgnored(string stored, bool newHead) =>
        architecture.Ignorable.Any(end => stored.EndsWith(end, StringComparison.Ordinal))
        || (newHead && architecture.Heads.Any(head => stored.StartsWith(head + ".", StringComparison.Ordinal)));

    private static IEnumerable<string> Spellings(string stored)
    {
        yield return stored;
        foreach ((string old, string now) in Ends)
        {
            if (stored.EndsWith(old, StringComparison.Ordinal))
                yield return stored[..^old.Length] + now;
        }
    }
}
