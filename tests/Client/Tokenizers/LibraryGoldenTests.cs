using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using Federated.Client.Tokenizers.SentencePiece;
using Federated.Tests.Support;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Every stage, every model and added tokens of every kind give what the tokenizers library gives; SentencePiece models what SentencePiece gives. Made by eng/make-tokenizer-golden.sh.</summary>
public sealed class LibraryGoldenTests
{
    private static readonly JsonElement Library = Read("library.json"), SentencePiece = Read("sentencepiece.json");

    public static TheoryData<int> Normalizers => Indices(Library.GetProperty("normalizers"));

    public static TheoryData<int> PreTokenizers => Indices(Library.GetProperty("pre_tokenizers"));

    public static TheoryData<int> Decoders => Indices(Library.GetProperty("decoders"));

    public static TheoryData<int> Tokenizers => Indices(Library.GetProperty("tokenizers"));

    public static TheoryData<int> Models => Indices(SentencePiece.GetProperty("models"));

    [Theory]
    [MemberData(nameof(Normalizers))]
    public void Normalise_Stage_EqualsTheLibrary(int index)
    {
        JsonElement golden = Library.GetProperty("normalizers")[index];
        IReadOnlyList<INormaliser> stages = With("normalizer", golden).Normalisers;
        foreach (JsonElement pair in golden.GetProperty("cases").EnumerateArray())
        {
            TextBuffer[] buffers = [.. stages.Select(_ => new TextBuffer())];
            Same(pair[1].GetString()!, Tokenizer.Normalise(pair[0].GetString(), stages, buffers).ToString(), golden, pair[0]);
        }
    }

    [Theory]
    [MemberData(nameof(PreTokenizers))]
    public void Split_Stage_EqualsTheLibrary(int index)
    {
        JsonElement golden = Library.GetProperty("pre_tokenizers")[index];
        IReadOnlyList<IPreTokeniser> stages = With("pre_tokenizer", golden).PreTokenisers;
        foreach (JsonElement pair in golden.GetProperty("cases").EnumerateArray())
        {
            List<string> pieces = [];
            Split(pair[0].GetString()!, stages, begins: true, pieces);
            Same(string.Join('\uFFFF', TokenizerFixture.Texts(pair[1])), string.Join('\uFFFF', pieces), golden, pair[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Decode_Stage_EqualsTheLibrary(int index)
    {
        JsonElement golden = Library.GetProperty("decoders")[index];
        IReadOnlyList<IDecoder> stages = With("decoder", golden).Decoders;
        foreach (JsonElement pair in golden.GetProperty("cases").EnumerateArray())
        {
            List<string> tokens = [.. TokenizerFixture.Texts(pair[0])];
            foreach (IDecoder stage in stages)
                stage.Decode(tokens);

            Same(pair[1].GetString()!, string.Concat(tokens), golden, pair[0]);
        }
    }

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Tokenizer_ModelsAndAddedTokens_EqualTheLibrary(int index)
    {
        JsonElement golden = Library.GetProperty("tokenizers")[index];
        Tokenizer tokenizer = Load(golden.GetProperty("tokenizer").GetRawText());
        using MemoryStream written = new();
        TokenizerJson.Write(written, tokenizer);
        foreach (Tokenizer each in (Tokenizer[])[tokenizer, Load(Encoding.UTF8.GetString(written.ToArray()))])
        {
            foreach (JsonElement given in golden.GetProperty("cases").EnumerateArray())
                CheckCase(each, given);
        }
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void SentencePieceModel_EverySetting_EqualsSentencePiece(int index)
    {
        JsonElement golden = SentencePiece.GetProperty("models")[index];
        SentencePieceModel model = new(SentencePieceFile.Read(golden.GetProperty("model").GetBytesFromBase64(), "t.model"), "t.model", shield: null);
        IPieceEncoder encoder = model.CreateEncoder(mapsBytes: false);
        foreach (JsonElement given in golden.GetProperty("cases").EnumerateArray())
        {
            List<int> ids = [];
            encoder.Encode(given.GetProperty("text").GetString(), ids);
            Assert.Equal(TokenizerFixture.Integers(given.GetProperty("ids")), ids);
            Assert.Equal(given.GetProperty("decoded").GetString(), model.Decoder.Decode([.. ids.Select(id => model.Vocabulary.Token(id)!)]));
        }
    }

    private static void CheckCase(Tokenizer tokenizer, JsonElement golden)
    {
        string text = golden.GetProperty("text").GetString()!;
        int[] ids = TokenizerFixture.Integers(golden.GetProperty("ids"));
        TokenRow row = new BatchEncoder(tokenizer, new()).EncodeRow(text), pair = new BatchEncoder(tokenizer, new()).EncodeRow(text, "hello");
        Assert.Equal(ids, row.Ids);
        Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("plain")), new BatchEncoder(tokenizer, new() { AddSpecialTokens = false }).EncodeRow(text).Ids);
        Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("pair")), pair.Ids);
        Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("types")), pair.TypeIds ?? new int[pair.Length]);
        Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("mask")), pair.SpecialTokensMask);
        Assert.Equal(golden.GetProperty("decoded").GetString(), tokenizer.Decode(ids));
        Assert.Equal(golden.GetProperty("skipped").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
    }

    private static void Split(string text, IReadOnlyList<IPreTokeniser> stages, bool begins, List<string> pieces)
    {
        if (stages.Count == 0)
        {
            pieces.Add(text);
            return;
        }

        string prepared = stages[0].Prepare(text, new TextBuffer(), begins).ToString();
        List<TextPiece> parts = [];
        stages[0].Split(prepared, parts);
        foreach (TextPiece part in parts)
            Split(prepared.Substring(part.Start, part.Length), [.. stages.Skip(1)], begins && part.Start == 0, pieces);
    }

    private static TokenizerParts With(string property, JsonElement golden)
    {
        JsonObject root = new()
        {
            ["model"] = JsonNode.Parse("""{"type":"WordPiece","vocab":{"[UNK]":0}}"""),
            [property] = JsonNode.Parse(golden.GetProperty("stage").GetRawText()),
        };
        return Load(root.ToJsonString()).Parts;
    }

    private static Tokenizer Load(string json) => TokenizerJson.Read(Encoding.UTF8.GetBytes(json), "t.json");

    private static void Same(string expected, string actual, JsonElement golden, JsonElement input) =>
        Assert.True(expected == actual, $"{golden.GetProperty("stage").GetRawText()}: {input.GetRawText()} gave {JsonSerializer.Serialize(actual)}, wanted {JsonSerializer.Serialize(expected)}");

    private static TheoryData<int> Indices(JsonElement array) => [.. Enumerable.Range(0, array.GetArrayLength())];

    private static JsonElement Read(string name)
    {
        using JsonDocument document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Repository.Root, "tests", "Client", "Tokenizers", "Golden", name)));
        return document.RootElement.Clone();
    }
}
