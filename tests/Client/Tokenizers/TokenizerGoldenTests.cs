using System.Text.Json;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tests.Tokenizers;

/// <summary>Ids and texts equal those of the official code, for each tokenizer folder and each form it comes in.</summary>
public sealed class TokenizerGoldenTests
{
    private const string Json = "tokenizer.json";
    private const string SavedJson = "tokenizer_saved_by_library.json";
    private const string VocabularyFiles = "vocab";

    public static TheoryData<string, string> Forms
    {
        get
        {
            TheoryData<string, string> forms = [];
            foreach (string folder in (string[])["tok-gpt2", "tok-qwen2", "tok-roberta"])
            {
                foreach (string form in (string[])[Json, SavedJson, VocabularyFiles])
                    forms.Add(folder, form);
            }

            return forms;
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Encode_GoldenCases_GivesTheOfficialIds(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        string prefix = Prefix(form);
        foreach (JsonElement golden in fixture.Cases)
        {
            string text = golden.GetProperty("text").GetString()!;
            Assert.Equal(TokenizerFixture.Integers(golden.GetProperty(prefix + "ids")), Ids(tokenizer, text, addSpecialTokens: true));
            Assert.Equal(TokenizerFixture.Integers(golden.GetProperty(prefix + "ids_plain")), Ids(tokenizer, text, addSpecialTokens: false));
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Token_GoldenIds_GivesTheOfficialTokens(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        foreach (JsonElement golden in fixture.Cases)
        {
            int[] ids = TokenizerFixture.Integers(golden.GetProperty("ids"));
            string[] tokens = TokenizerFixture.Texts(golden.GetProperty("tokens"));
            Assert.Equal(tokens, ids.Select(id => tokenizer.Token(id)));
            Assert.Equal(ids, tokens.Select(token => tokenizer.TokenId(token)!.Value));
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Decode_GoldenIds_GivesTheOfficialText(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        string prefix = Prefix(form);
        foreach (JsonElement golden in fixture.Cases)
        {
            int[] ids = TokenizerFixture.Integers(golden.GetProperty(prefix + "ids"));
            Assert.Equal(golden.GetProperty(prefix + "decoded").GetString(), tokenizer.Decode(ids));
            Assert.Equal(golden.GetProperty(prefix + "decoded_skip").GetString(), tokenizer.Decode(ids, skipSpecialTokens: true));
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void VocabularySizeAndSpecialTokens_GoldenFolder_AreTheOfficialOnes(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        Assert.Equal(fixture.Root.GetProperty("len").GetInt32(), tokenizer.VocabularySize);
        int[] special = TokenizerFixture.Integers(fixture.Root.GetProperty("all_special_ids"));
        Assert.Equal(special.Order(), Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial));
        SpecialTokenIds roles = tokenizer.Special;
        Assert.All(((int?[])[roles.Bos, roles.Eos, roles.Pad, roles.Unk, roles.Sep, roles.Cls, roles.Mask]).OfType<int>(), id => Assert.Contains(id, special));
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void EncodeRow_GoldenPairs_GivesTheOfficialIdsAndSegments(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        BatchEncoder encoder = new(tokenizer, new BatchOptions());
        foreach (JsonElement golden in fixture.Root.GetProperty("pairs").EnumerateArray())
        {
            (string first, string second) = (golden.GetProperty("a").GetString()!, golden.GetProperty("b").GetString()!);
            int[] expected = TokenizerFixture.Integers(golden.GetProperty(form == VocabularyFiles ? "input_ids" : "fast_ids"));
            TokenRow row = encoder.EncodeRow(first, second);
            Assert.Equal(expected, row.Ids);
            Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("fast_type_ids")), row.TypeIds ?? new int[row.Length]);

            List<int> ids = [];
            tokenizer.EncodePair(first, second, ids);
            Assert.Equal(expected, ids);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Encode_GoldenBatches_PadsAndTruncatesAsTheOfficialCode(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        JsonElement golden = fixture.Root.GetProperty("batch");
        int? pad = golden.TryGetProperty("pad_token_set_to", out JsonElement token) ? tokenizer.TokenId(token.GetString()!) : null;
        string[] texts = TokenizerFixture.Texts(golden.GetProperty("texts"));
        BatchOptions options = new() { PadId = pad };
        AssertBatch(golden.GetProperty("pad_right"), options);
        AssertBatch(golden.GetProperty("pad_left"), options with { Padding = PaddingSide.Left });
        AssertBatch(golden.GetProperty("pad_to_multiple_of_8"), options with { PadToMultipleOf = 8 });
        AssertBatch(golden.GetProperty("pad_right_max8_truncated"), options with { MaxLength = 8, PadToMaxLength = true });
        AssertBatch(golden.GetProperty("pad_left_max8_truncated"), options with { MaxLength = 8, PadToMaxLength = true, Padding = PaddingSide.Left });

        void AssertBatch(JsonElement expected, BatchOptions how)
        {
            TokenBatch batch = new BatchEncoder(tokenizer, how).Encode(texts);
            Assert.Equal(texts.Length, batch.Rows);
            Assert.Equal(Flat(expected.GetProperty("input_ids")), batch.InputIds);
            Assert.Equal(Flat(expected.GetProperty("attention_mask")), batch.AttentionMask);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void EncodeRow_GoldenPairsTooLong_TruncatesAsTheOfficialCode(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        foreach (JsonElement golden in fixture.Root.GetProperty("batch").GetProperty("pair_truncation").EnumerateArray())
        {
            BatchOptions options = new()
            {
                MaxLength = golden.GetProperty("max_length").GetInt32(),
                Truncation = golden.GetProperty("strategy").GetString() switch
                {
                    "only_first" => TruncationStrategy.OnlyFirst,
                    "only_second" => TruncationStrategy.OnlySecond,
                    "longest_first" => TruncationStrategy.LongestFirst,
                    var other => throw new InvalidDataException($"The fixture has an unknown strategy '{other}'."),
                },
            };
            TokenRow row = new BatchEncoder(tokenizer, options).EncodeRow(golden.GetProperty("a").GetString()!, golden.GetProperty("b").GetString());
            Assert.Equal(TokenizerFixture.Integers(golden.GetProperty("input_ids")), row.Ids);
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void Write_ThenRead_GivesTheSameTokenizer(string folder, string form)
    {
        TokenizerFixture fixture = new(folder);
        Tokenizer tokenizer = fixture.Load(form);
        using TemporaryFolder copy = new();
        TokenizerFolder.Write(copy.Path, tokenizer);
        Tokenizer again = TokenizerFolder.Read(copy.Path);

        Assert.Equal(tokenizer.Special, again.Special);
        Assert.Equal(tokenizer.Parts.AddedTokens.OrderBy(token => token.Id), again.Parts.AddedTokens);
        foreach (string text in fixture.Cases.Select(golden => golden.GetProperty("text").GetString()!))
        {
            int[] ids = Ids(tokenizer, text, addSpecialTokens: true);
            Assert.Equal(ids, Ids(again, text, addSpecialTokens: true));
            Assert.Equal(tokenizer.Decode(ids), again.Decode(ids));
        }
    }

    [Theory]
    [InlineData("tok-gpt2")]
    [InlineData("tok-qwen2")]
    [InlineData("tok-roberta")]
    public void Write_FileSavedByTheLibrary_HasTheSameContent(string folder)
    {
        TokenizerFixture fixture = new(folder);
        byte[] original = File.ReadAllBytes(Path.Combine(fixture.Folder, SavedJson));
        using MemoryStream written = new();
        TokenizerJson.Write(written, TokenizerJson.Read(original, SavedJson));
        Assert.True(JsonElement.DeepEquals(JsonDocument.Parse(original).RootElement, JsonDocument.Parse(written.ToArray()).RootElement));
    }

    private static string Prefix(string form) => form == VocabularyFiles ? "" : "fast_";

    private static int[] Ids(Tokenizer tokenizer, string text, bool addSpecialTokens)
    {
        List<int> ids = [];
        tokenizer.Encode(text, ids, addSpecialTokens);
        return [.. ids];
    }

    private static long[] Flat(JsonElement rows) => [.. rows.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(item => item.GetInt64())];
}
