using System.Runtime.InteropServices;
using System.Text;
using Federated.Client.Tokenizers;

namespace Federated.Client.Generation;

/// <summary>Turns tokens into text as they come: never half a character, and never a stop text or its beginning.</summary>
public sealed class IncrementalText
{
    private readonly ITokenizer _tokenizer;
    private readonly IReadOnlyList<string> _stops;
    private readonly Action<string> _write;
    private readonly List<int> _tokens = [];
    private readonly StringBuilder _held = new();
    private int _from, _read;

    /// <summary>Prepares to write.</summary>
    /// <param name="tokenizer">The model's.</param>
    /// <param name="stops">Texts that end the stream; none of them is written. Not empty ones.</param>
    /// <param name="write">Gets the text, piece by piece.</param>
    /// <exception cref="ArgumentException">A stop text is empty.</exception>
    public IncrementalText(ITokenizer tokenizer, IReadOnlyList<string> stops, Action<string> write)
    {
        if (stops.Any(string.IsNullOrEmpty))
            throw new ArgumentException("A stop text is empty; every text begins with that.", nameof(stops));
        (_tokenizer, _stops, _write) = (tokenizer, stops, write);
    }

    /// <summary>Takes the next token.</summary>
    /// <returns>Whether the text goes on: false once a stop text is complete.</returns>
    public bool Push(int token)
    {
        _tokens.Add(token);
        // The text of a token depends on those before it (spaces, half characters), so a little of the past is decoded again each time.
        string before = Decode(_from, _read), now = Decode(_from, _tokens.Count);
        if (now.Length <= before.Length || now.EndsWith('\uFFFD'))
            return true;
        (_from, _read) = (_read, _tokens.Count);
        return Hold(now[before.Length..]);
    }

    /// <summary>Writes what was held back; call it when no further token comes.</summary>
    public void Complete()
    {
        string before = Decode(_from, _read), now = Decode(_from, _tokens.Count);
        (_from, _read) = (_tokens.Count, _tokens.Count);
        if (now.Length <= before.Length || Hold(now[before.Length..]))
            Write(_held.Length);
    }

    private bool Hold(string text)
    {
        _held.Append(text);
        string held = _held.ToString();
        int end = _stops.Select(stop => held.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        if (end >= 0)
        {
            Write(end);
            _held.Clear();
            return false;
        }

        int start = held.Length - _stops.Select(stop => BeginningAtTheEnd(held, stop)).DefaultIfEmpty(0).Max();
        Write(start);
        return true;
    }

    /// <summary>Length of the longest end of <paramref name="text"/> that begins <paramref name="stop"/>.</summary>
    private static int BeginningAtTheEnd(string text, string stop)
    {
        for (int length = Math.Min(text.Length, stop.Length - 1); length > 0; length--)
        {
            if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                return length;
        }

        return 0;
    }

    private void Write(int length)
    {
        if (length == 0)
            return;
        _write(_held.ToString(0, length));
        _held.Remove(0, length);
    }

    private string Decode(int from, int to) =>
        _tokenizer.Decode(CollectionsMarshal.AsSpan(_tokens)[from..to], skipSpecialTokens: true);
}
