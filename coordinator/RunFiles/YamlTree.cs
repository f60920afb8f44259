using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Federated.Coordinator.RunFiles;

/// <summary>A node of a YAML file, with the line it stands on.</summary>
internal abstract record YamlTree(long Line)
{
    /// <summary>Deepest nesting that is read.</summary>
    private const int MaxDepth = 16;

    private const string NoAnchors = "anchors and aliases are not read; write the value out";

    /// <summary>Reads one document.</summary>
    /// <remarks>Only what a description needs: no tags (a type name in data), no anchors and aliases (which can grow a small file without bound), no second document.</remarks>
    /// <exception cref="YamlException">Malformed, or one of these; with its place.</exception>
    public static YamlTree Parse(TextReader text)
    {
        Parser parser = new(text);
        parser.Consume<StreamStart>();
        if (parser.Accept<StreamEnd>(out StreamEnd? end))
            throw new YamlException(end.Start, end.End, "the file is empty");

        parser.Consume<DocumentStart>();
        YamlTree root = Node(parser, 0);
        parser.Consume<DocumentEnd>();
        if (!parser.Accept<StreamEnd>(out _))
            throw At(parser.Current!, "a second document begins here; one file describes one run");

        return root;
    }

    private static YamlTree Node(Parser parser, int depth)
    {
        if (depth > MaxDepth)
            throw At(parser.Current!, $"nested deeper than {MaxDepth} levels");
        if (parser.Accept<AnchorAlias>(out AnchorAlias? alias))
            throw At(alias, NoAnchors);
        if (parser.Accept<NodeEvent>(out NodeEvent? node))
            Refuse(node);

        if (parser.TryConsume<Scalar>(out Scalar? scalar))
            return new YamlScalar(scalar.Start.Line, scalar.Value, scalar.Style is not ScalarStyle.Plain);
        if (parser.TryConsume<SequenceStart>(out SequenceStart? list))
        {
            List<YamlTree> items = [];
            while (!parser.TryConsume<SequenceEnd>(out _))
                items.Add(Node(parser, depth + 1));
            return new YamlList(list.Start.Line, items);
        }

        return Mapping(parser, depth);
    }

    private static YamlMap Mapping(Parser parser, int depth)
    {
        MappingStart start = parser.Consume<MappingStart>();
        List<(YamlScalar, YamlTree)> entries = [];
        HashSet<string> keys = new(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            ParsingEvent here = parser.Current!;
            if (Node(parser, depth + 1) is not YamlScalar key)
                throw At(here, "a key must be a plain word");
            if (!keys.Add(key.Text))
                throw At(here, $"the key '{key.Text}' stands twice in one mapping");
            entries.Add((key, Node(parser, depth + 1)));
        }

        return new(start.Start.Line, entries);
    }

    private static void Refuse(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty)
            throw At(node, NoAnchors);
        if (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific)
            throw At(node, "tags (words that begin with '!') are not read; leave it out");
    }

    private static YamlException At(ParsingEvent place, string message) => new(place.Start, place.End, message);
}

/// <summary>A single value; <paramref name="Quoted"/> when it was written in quotes and so is text for sure.</summary>
internal sealed record YamlScalar(long Line, string Text, bool Quoted) : YamlTree(Line);

/// <summary>A list.</summary>
internal sealed record YamlList(long Line, IReadOnlyList<YamlTree> Items) : YamlTree(Line);

/// <summary>Keys and values in the order of the file.</summary>
internal sealed record YamlMap(long Line, IReadOnlyList<(YamlScalar Key, YamlTree Value)> Entries) : YamlTree(Line);
