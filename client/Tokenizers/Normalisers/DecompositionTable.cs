using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary>What the Unicode Character Database says about taking characters apart and composing them; read once from the embedded <c>decompositions.txt</c>.</summary>
internal sealed class DecompositionTable
{
    private readonly FrozenDictionary<int, byte> _classes;
    private readonly FrozenDictionary<int, int[]> _canonical;
    private readonly FrozenDictionary<int, int[]> _compatible;
    private readonly FrozenDictionary<(int First, int Second), int> _compositions;

    private DecompositionTable()
    {
        Dictionary<int, byte> classes = [];
        Dictionary<int, int[]> canonical = [], compatible = [];
        List<int[]> pairs = [];
        foreach (string[] fields in Lines())
        {
            int[] codes = [.. fields.Skip(1).Select(field => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            if (fields[0] == "class")
                classes[codes[0]] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
            else
                (fields[0] == "alike" ? compatible : canonical)[codes[0]] = codes[1..];

            if (fields[0] == "pair")
                pairs.Add(codes);
        }

        // Decompositions that begin with a combining character are never composed: UAX 15, definition of a primary composite.
        pairs.RemoveAll(codes => classes.ContainsKey(codes[0]) || classes.ContainsKey(codes[1]));
        _classes = classes.ToFrozenDictionary();
        _canonical = canonical.ToFrozenDictionary();
        _compatible = compatible.ToFrozenDictionary();
        _compositions = pairs.ToFrozenDictionary(codes => (codes[1], codes[2]), codes => codes[0]);
        HashSet<int> primary = [.. pairs.Select(codes => codes[0])];
        UnstableComposed = classes.Keys.Concat(pairs.Select(codes => codes[2])).Concat(canonical.Keys.Where(code => !primary.Contains(code))).ToFrozenSet();
        UnstableDecomposed = classes.Keys.Concat(canonical.Keys).ToFrozenSet();
        Compatible = compatible.Keys.ToFrozenSet();
    }

    public static DecompositionTable Instance { get; } = new();

    /// <summary>Characters, Hangul left out, whose presence may make a text differ from its canonically composed form.</summary>
    public FrozenSet<int> UnstableComposed { get; }

    /// <summary>Characters, Hangul left out, whose presence may make a text differ from its canonically decomposed form.</summary>
    public FrozenSet<int> UnstableDecomposed { get; }

    /// <summary>Characters with a compatibility decomposition.</summary>
    public FrozenSet<int> Compatible { get; }

    /// <summary>Canonical combining class; 0 for a character that others combine with.</summary>
    public byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    /// <summary>One step of decomposition; null if there is none. Hangul syllables are not in the table.</summary>
    public int[]? Decompose(int code, bool compatible) =>
        _canonical.GetValueOrDefault(code) ?? (compatible ? _compatible.GetValueOrDefault(code) : null);

    /// <summary>The character that two become, or null.</summary>
    public int? Compose(int first, int second) => _compositions.TryGetValue((first, second), out int code) ? code : null;

    private static IEnumerable<string[]> Lines()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("decompositions.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
                yield return line.Split(' ');
        }
    }
}
