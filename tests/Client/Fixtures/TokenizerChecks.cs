using System.Text.Json;
using Federated.Client.Tests.Tokenizers;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Decoders;
using Federated.Client.Tokenizers.Files;

namespace Federated.Client.Tests.Fixtures;

/// <summary>
/// A tokenizer gives the official code's ids, tokens, segments, masks, batches and texts: read from each <c>tokenizer.json</c> those of the
/// tokenizers library (<c>fast_*</c>), from the vocabulary files those of the class in Python.
/// </summary>
internal static class TokenizerChecks
{
    private const string SavedByLibrary = "tokenizer_saved_by_library.json";

    /// <summary>What a case holds and is checked. Offsets are not: this product has no use for them and does not compute them.</summary>
    private static readonly HashSet<string> Covered =
    [
        "i", "text", "ids", "ids_plain", "tokens", "decoded", "decoded_skip", "decoded_skip_clean", "fast_ids", "fast_ids_plain", "fast_tokens", "fast_offsets", "fast_type_ids",
        "fast_special_tokens_mask", "fast_decoded", "fast_decoded_skip", "slow_fast_ids_agree", "slow_fast_decoded_agree",
    ];

    internal static void Run(string folder)
    {
        TokenizerFixture fixture = new(folder);
        Assert.NotEmpty(fixture.Forms);
        Assert.NotEmpty(fixture.Cases);
        foreach (string form in fixture.Forms)
        {
            Tokenizer tokenizer = fixture.Load(form);
            bool isJson = form != TokenizerFixture.VocabularyFiles;
            CheckVocabulary(fixture, tokenizer, form);
            foreach (JsonElement golden in fixture.Cases)
                CheckCase(golden, tokenizer, isJson, $"{form}, case {golden.GetProperty("i")}");

            foreach (JsonElement golden in fixture.Root.GetProperty("pairs").EnumerateArray())
                CheckPair(golden, tokenizer, isJson, form);

            CheckBatches(fixture.Root.GetProperty("batch"), tokenizer, form);
            if (isJson)
                CheckWriting(fixture, tokenizer, form);
        }
    }

    private static void CheckVocabulary(TokenizerFixture fixture, Tokenizer tokenizer, string form)
    {
        Equal(fixture.Root.GetProperty("vocab_size").GetInt32(), tokenizer.Parts.Model.Vocabulary.Count, form);
        Equal(fixture.Root.GetProperty("len").GetInt32(), tokenizer.VocabularySize, form);
        int[] special = TokenizerFixture.Integers(fixture.Root.GetProperty("all_special_ids"));
        Equal(special.Order(), Enumerable.Range(0, tokenizer.VocabularySize).Where(tokenizer.IsSpecial), form + ", special ids");
        Equal(TokenizerFixture.Texts(fixture.Root.GetProperty("all_special_tokens")), special.Select(id => tokenizer.Token(id)), form + ", special tokens");
        SpecialTokenIds roles = tokenizer.Special;
        Assert.All(((int?[])[roles.Bos, roles.Eos, roles.Pad, roles.Unk, roles.Sep, roles.Cls, roles.Mask]).OfType<int>(), id => Assert.Contains(id, special));
    }

    private static void CheckCase(JsonElement golden, Tokenizer tokenizer, bool isJson, string where)
    {
        Assert.Empty(golden.EnumerateObject().Select(member => member.Name).Except(Covered));
        string prefix = isJson ? "fast_" : "", text = golden.GetProperty("text").GetString()!;
        int[] ids = TokenizerFixture.Integers(golden.GetProperty(prefix + "ids"));
        Equal(ids, Ids(tokenizer, text, addSpecialTokens: true), where);
        Equal(TokenizerFixture.Integers(golden.GetProperty(prefix + "ids_plain")), Ids(tokenizer, text, addSpecialTokens: false), where + ", plain");
        CheckTokens(TokenizerFixture.Texts(golden.GetProperty(prefix + "tokens")), ids, tokenizer, where);
        Equal(golden.GetProperty(prefix + "decoded").GetString(), tokenizer.Decode(ids), where + ", decoded");
        string skipped = tokenizer.Decode(ids, skipSpecialTokens: true);
        Equal(golden.GetProperty(prefix + "decoded_skip").GetString(), skipped, where + ", decoded without special tokens");
        TokenRow row = new BatchEncoder(tokenizer, new()).EncodeRow(text);
        Equal(ids, row.Ids, where + ", row");
        if (isJson)
        {
            Equal(TokenizerFixture.Integers(golden.GetProperty("fast_type_ids")), row.TypeIds ?? new int[row.Length], where + ", type ids");
            Equal(TokenizerFixture.Integers(golden.GetProperty("fast_special_tokens_mask")), row.SpecialTokensMask, where + ", special tokens mask");
        }
        else
        {
            Equal(golden.GetProperty("decoded_skip_clean").GetString(), SpaceCleanUp.OfText(skipped), where + ", cleaned up");
        }
    }

    /// <summary>The library shows an added token as it stood in the text, with the white space that it took along; that text alone has to give the id.</summary>
    private static void CheckTokens(string[] expected, int[] ids, Tokenizer tokenizer, string where)
    {
        Equal(expected.Length, ids.Length, where);
        for (int i = 0; i < ids.Length; i++)
        {
            if (tokenizer.Token(ids[i]) != expected[i])
                Equal([ids[i]], Ids(tokenizer, expected[i], addSpecialTokens: false), $"{where}, token {i}: '{tokenizer.Token(ids[i])}' instead of '{expected[i]}'");
        }
    }

    private static void CheckPair(JsonElement golden, Tokenizer tokenizer, bool isJson, string form)
    {
        (string first, string second) = (golden.GetProperty("a").GetString()!, golden.GetProperty("b").GetString()!);
        string where = $"{form}, pair '{first}', '{second}'";
        int[] expected = TokenizerFixture.Integers(golden.GetProperty(isJson ? "fast_ids" : "input_ids"));
        TokenRow row = new BatchEncoder(tokenizer, new()).EncodeRow(first, second);
        Equal(expected, row.Ids, where);
        if (isJson || golden.TryGetProperty("token_type_ids", out _))
            Equal(TokenizerFixture.Integers(golden.GetProperty(isJson ? "fast_type_ids" : "token_type_ids")), row.TypeIds ?? new int[row.Length], where + ", type ids");

        List<int> ids = [];
        tokenizer.EncodePair(first, second, ids);
        Equal(expected, ids, where);
        if (!isJson)
            Equal(golden.GetProperty("attention_mask").EnumerateArray().Select(item => item.GetInt64()), new BatchEncoder(tokenizer, new()).Encode([first], [second]).AttentionMask, where);
    }

    /// <summary>Batches are golden for the class in Python. The other forms are checked with them too, since none of these texts is one that they see otherwise.</summary>
    private static void CheckBatches(JsonElement golden, Tokenizer tokenizer, string form)
    {
        int? pad = golden.TryGetProperty("pad_token_set_to", out JsonElement token) ? tokenizer.TokenId(token.GetString()!) : null;
        string[] texts = TokenizerFixture.Texts(golden.GetProperty("texts"));
        BatchOptions options = new() { PadId = pad };
        foreach (JsonProperty member in golden.EnumerateObject().Where(member => member.Name is not ("texts" or "pad_token_set_to" or "pair_truncation")))
        {
            BatchOptions how = member.Name switch
            {
                "pad_right" => options,
                "pad_left" => options with { Padding = Side.Left },
                "pad_to_multiple_of_8" => options with { PadToMultipleOf = 8 },
                "pad_right_max8_truncated" => options with { MaxLength = 8, PadToMaxLength = true },
                "pad_left_max8_truncated" => options with { MaxLength = 8, PadToMaxLength = true, Padding = Side.Left },
                _ => throw new InvalidDataException($"The fixture has a batch '{member.Name}' that no check covers."),
            };
            CheckBatch(member.Value, new BatchEncoder(tokenizer, how).Encode(texts), texts.Length, $"{form}, {member.Name}");
        }

        foreach (JsonElement pair in golden.GetProperty("pair_truncation").EnumerateArray())
            CheckTruncation(pair, tokenizer, form);
    }

    private static void CheckBatch(JsonElement expected, TokenBatch batch, int rows, string where)
    {
        Equal(rows, batch.Rows, where);
        Equal(Flat(expected.GetProperty("input_ids")), batch.InputIds, where);
        Equal(Flat(expected.GetProperty("attention_mask")), batch.AttentionMask, where + ", attention mask");
        if (expected.TryGetProperty("token_type_ids", out JsonElement types))
            Equal(Flat(types), batch.TypeIds, where + ", type ids");
    }

    private static void CheckTruncation(JsonElement golden, Tokenizer tokenizer, string form)
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
        Equal(TokenizerFixture.Integers(golden.GetProperty("input_ids")), row.Ids, $"{form}, pair cut by {options.Truncation} to {options.MaxLength}");
        if (golden.TryGetProperty("token_type_ids", out JsonElement types))
            Equal(TokenizerFixture.Integers(types), row.TypeIds ?? new int[row.Length], $"{form}, type ids of a pair cut by {options.Truncation}");
    }

    /// <summary>What is written has the content of what the library wrote, and reads as the same tokenizer.</summary>
    private static void CheckWriting(TokenizerFixture fixture, Tokenizer tokenizer, string form)
    {
        using MemoryStream written = new();
        TokenizerJson.Write(written, tokenizer);
        if (form == SavedByLibrary)
        {
            using JsonDocument original = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(fixture.Folder, form))), copy = JsonDocument.Parse(written.ToArray());
            Assert.True(JsonElement.DeepEquals(original.RootElement, copy.RootElement), $"{form}: written again it has another content.");
        }

        using TemporaryFolder folder = new();
        TokenizerFolder.Write(folder.Path, tokenizer);
        Tokenizer again = TokenizerFolder.Read(folder.Path);
        Equal(tokenizer.Special, again.Special, form + ", written and read");
        foreach (string text in fixture.Cases.Select(golden => golden.GetProperty("text").GetString()!))
        {
            int[] ids = Ids(tokenizer, text, addSpecialTokens: true);
            Equal(ids, Ids(again, text, addSpecialTokens: true), form + ", written and read");
            Equal(tokenizer.Decode(ids), again.Decode(ids), form + ", written and read");
        }
    }

    private static int[] Ids(Tokenizer tokenizer, string text, bool addSpecialTokens)
    {
        List<int> ids = [];
        tokenizer.Encode(text, ids, addSpecialTokens);
        return [.. ids];
    }

    private static long[] Flat(JsonElement rows) => [.. rows.EnumerateArray().SelectMany(row => row.EnumerateArray()).Select(item => item.GetInt64())];

    private static void Equal<T>(IEnumerable<T> expected, IEnumerable<T> actual, string where) =>
        Assert.True(expected.SequenceEqual(actual), $"{where}: got [{string.Join(' ', actual)}], wanted [{string.Join(' ', expected)}]");

    private static void Equal(string? expected, string? actual, string where) => Assert.True(expected == actual, $"{where}: got '{actual}', wanted '{expected}'");

    private static void Equal<T>(T expected, T actual, string where)
        where T : IEquatable<T> => Assert.True(expected.Equals(actual), $"{where}: got {actual}, wanted {expected}");
}
