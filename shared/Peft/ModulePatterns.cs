using System.Collections;

namespace Federated.Shared.Peft;

/// <summary>Values by patterns for the end of a module's name, of which the first that matches counts; each is compiled once.</summary>
internal sealed class ModulePatterns<T>(IEnumerable<KeyValuePair<string, T>> entries) : IReadOnlyList<KeyValuePair<string, T>>
{
    private readonly KeyValuePair<string, T>[] _entries = [.. entries];
    private ModulePattern[]? _compiled;

    public static ModulePatterns<T> Empty { get; } = new([]);

    public int Count => _entries.Length;

    public KeyValuePair<string, T> this[int index] => _entries[index];

    /// <summary>The value of a module, or <paramref name="otherwise"/> where no pattern matches.</summary>
    /// <exception cref="PeftFormatException">A pattern is no regular expression, or takes too long on this name.</exception>
    public T Pick(string module, T otherwise)
    {
        ModulePattern[] compiled = _compiled ??= Array.ConvertAll(_entries, entry => ModulePattern.Suffix(entry.Key));
        for (int i = 0; i < compiled.Length; i++)
        {
            if (_entries[i].Key == module || compiled[i].Matches(module))
                return _entries[i].Value;
        }

        return otherwise;
    }

    public IEnumerator<KeyValuePair<string, T>> GetEnumerator() => _entries.AsEnumerable().GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
