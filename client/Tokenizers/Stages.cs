using System.Text.Json;

namespace Federated.Client.Tokenizers;

/// <summary>One stage of the pipeline that turns text into ids. A new kind is one class and one line in <c>TokenizerStages</c>.</summary>
public interface ITokenizerStage
{
    /// <summary>Writes the stage as an object of <c>tokenizer.json</c>.</summary>
    void Write(Utf8JsonWriter json);
}

/// <summary>Rewrites a text before it is cut into pieces, such as composing accents.</summary>
public interface INormaliser : ITokenizerStage
{
    /// <summary>The rewritten text: <paramref name="text"/> itself when nothing changes, otherwise what now stands in <paramref name="buffer"/>.</summary>
    ReadOnlySpan<char> Normalise(ReadOnlySpan<char> text, TextBuffer buffer);
}

/// <summary>Cuts a text into the pieces, mostly words, that the model sees one by one.</summary>
public interface IPreTokeniser : ITokenizerStage
{
    /// <summary>The model gets the bytes of a piece's UTF-8 form as its symbols, in the alphabet of <see cref="Bpe.ByteAlphabet"/>.</summary>
    bool MapsBytes => false;

    /// <summary>Rewrites a piece of the stage before, ahead of cutting it, such as putting a space in front. Same contract as <see cref="INormaliser.Normalise"/>.</summary>
    /// <param name="text">The piece.</param>
    /// <param name="buffer">Written to if anything changes.</param>
    /// <param name="begins">Whether the piece is the beginning of the whole text.</param>
    ReadOnlySpan<char> Prepare(ReadOnlySpan<char> text, TextBuffer buffer, bool begins) => text;

    /// <summary>Appends the pieces of <paramref name="text"/> in order; what no piece covers is dropped.</summary>
    void Split(ReadOnlySpan<char> text, List<TextPiece> pieces);
}

/// <summary>Turns one piece into ids.</summary>
public interface ITokenModel : ITokenizerStage
{
    /// <summary>Tokens and ids of the model, without added tokens beyond them.</summary>
    Vocabulary Vocabulary { get; }

    /// <summary>An encoder with memory of its own, to be used by one thread at a time.</summary>
    /// <param name="mapsBytes">Pieces are to be seen as bytes: <see cref="IPreTokeniser.MapsBytes"/>.</param>
    IPieceEncoder CreateEncoder(bool mapsBytes);
}

/// <summary>A model's working state.</summary>
public interface IPieceEncoder
{
    /// <summary>Appends the ids of one piece.</summary>
    void Encode(ReadOnlySpan<char> piece, List<int> ids);
}

/// <summary>Puts special tokens around the ids of a text or a pair.</summary>
public interface IPostProcessor : ITokenizerStage
{
    /// <summary>What stands where; null if this post-processor adds nothing.</summary>
    TokenTemplate? Template { get; }
}

/// <summary>Turns tokens back into text.</summary>
public interface IDecoder : ITokenizerStage
{
    /// <summary>Rewrites the tokens in place; after the last decoder they are joined without anything between them.</summary>
    void Decode(List<string> tokens);
}

/// <summary>A part of a text: first UTF-16 unit and how many.</summary>
public readonly record struct TextPiece(int Start, int Length);
