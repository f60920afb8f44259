using System.Collections.Frozen;
using System.Globalization;
using System.Reflection;

namespace Federated.Client.Tokenizers.Normalisers;

/// <summary>What the Unicode Character Database says about composing characters; read once from the embedded <c>nfc.txt</c>.</summary>
internal sealed class CompositionTable
{
    private readonly FrozenDictionary<int, byte> _classes;
    private readonly FrozenDictionary<int, int[]> _decompositions;
    private readonly FrozenDictionary<(int First, int Second), int> _compositions;
    private readonly FrozenSet<int> _unstable;

    private CompositionTable()
    {
        Dictionary<int, byte> classes = [];
        Dictionary<int, int[]> decompositions = [];
        List<int[]> composed = [];
        foreach (string[] fields in Lines())
        {
            int[] codes = [.. fields.Skip(1).Select(field => int.Parse(field, NumberStyles.HexNumber, CultureInfo.InvariantCulture))];
            switch (fields[0])
            {
                case "class":
                    classes[codes[0]] = byte.Parse(fields[2], CultureInfo.InvariantCulture);
                    break;
                case "pair":
                    composed.Add(codes);
                    decompositions[codes[0]] = codes[1..];
                    break;
                default:
                    decompositions[codes[0]] = codes[1..];
                    break;
            }
        }

        // Decompositions that begin with a combining character are never composed: UAX 15, definition of a primary composite.
        composed.RemoveAll(codes => classes.ContainsKey(codes[0]) || classes.ContainsKey(codes[1]));
        _classes = classes.ToFrozenDictionary();
        _decompositions = decompositions.ToFrozenDictionary();
        _compositions = composed.ToFrozenDictionary(codes => (codes[1], codes[2]), codes => codes[0]);
        HashSet<int> primary = [.. composed.Select(codes => codes[0])];
        _unstable = [.. classes.Keys, .. decompositions.Keys.Where(code => !primary.Contains(code)), .. composed.Select(codes => codes[2])];
    }

    public static CompositionTable Instance { get; } = new();

    /// <summary>Canonical combining class; 0 for a character that others combine with.</summary>
    public byte ClassOf(int code) => _classes.GetValueOrDefault(code);

    /// <summary>One step of canonical decomposition: one or two characters; null if there is none. Hangul syllables are not in the table.</summary>
    public int[]? Decompose(int code) => _decompositions.GetValueOrDefault(code);

    /// <summary>The character that two become, or null.</summary>
    public int? Compose(int first, int second) => _compositions.TryGetValue((first, second), out int code) ? code : null;

    /// <summary>Whether text with this character may differ from its composed form; text without any such character never does.</summary>
    public bool IsUnstable(int code) => _unstable.Contains(code) || Hangul.IsTrailing(code);

    private static IEnumerable<string[]> Lines()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("nfc.txt")!;
        using StreamReader reader = new(stream);
        while (reader.ReadLine() is { } line)
        {
            if (!line.StartsWith('#'))
                yield return line.Split(' ');
        }
    }
}
