using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>Keys and values that were there before a pass: of tokens read earlier, and of a prefix.</summary>
public sealed class AttentionMemoryTests : IDisposable
{
    private const int PrefixLength = 3;
    private PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(), seed: 4);
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _noGradients = no_grad();

    public void Dispose()
    {
        _noGradients.Dispose();
        _scope.Dispose();
        _model.Dispose();
    }

    public static TheoryData<string, bool> Decoders => TinyDecoders.With(true, false);

    public static TheoryData<string> Names => [.. TinyDecoders.Names];

    [Theory]
    [MemberData(nameof(Decoders))]
    public void Cache_ReadInPieces_GivesTheHiddenStatesOfTheWhole(string decoder, bool prefixed)
    {
        Use(decoder);
        _model.Prefix = prefixed ? Prefix() : null;
        int[] ids = TinyLlama.Sequences(6, 1, 80, shortest: 80)[0].ToArray();
        float[] whole = _model.Encode(SequenceBatch.Packed([ids])).Floats().ToArray();

        using KeyValueCache cache = new();
        List<float> pieces = [];
        int[] cuts = [0, 7, 8, 9, 60, 79, 80];
        for (int i = 0; i + 1 < cuts.Length; i++)
            pieces.AddRange(_model.Encode(SequenceBatch.Packed([ids.AsMemory(cuts[i]..cuts[i + 1])]), new() { Cache = cache }).Floats());

        Near.Equal(whole, pieces.ToArray(), 1e-5, "hidden states", 1e-5);
        Assert.Equal(ids.Length + (prefixed ? PrefixLength : 0), cache.Length);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Prefix_PackedRows_GiveWhatPaddedRowsGive(string decoder)
    {
        Use(decoder);
        _model.Prefix = Prefix();
        var sequences = TinyLlama.Sequences(7, 4, 9, shortest: 1);
        SequenceBatch packed = SequenceBatch.Packed(sequences), padded = SequenceBatch.Padded(sequences, 0);
        long[] real = [.. Enumerable.Range(0, padded.Count).Where(i => padded.Mask![i]).Select(i => (long)i)];
        Near.Equal(_model.Encode(padded).index_select(0, tensor(real, [real.Length])).Floats(), _model.Encode(packed).Floats(), 1e-5, "hidden states", 1e-5);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Prefix_OfARowsOwnFirstTokens_ContinuesThatRow(string decoder)
    {
        Use(decoder);
        // What a cache holds after some tokens is a prefix by another name: rotated keys, and positions that go on after it.
        int[] ids = TinyLlama.Sequences(8, 1, 12, shortest: 12)[0].ToArray();
        float[] whole = _model.Encode(SequenceBatch.Packed([ids])).Floats().ToArray();
        using KeyValueCache cache = new();
        _model.Encode(SequenceBatch.Packed([ids.AsMemory(..PrefixLength)]), new() { Cache = cache });
        _model.Prefix = new(PrefixLength, layer =>
        {
            (Tensor keys, Tensor values) = cache.Layer(layer);
            return (keys.transpose(0, 1), values.transpose(0, 1));
        });

        float[] rest = _model.Encode(SequenceBatch.Packed([ids.AsMemory(PrefixLength..)])).Floats().ToArray();
        Near.Equal(whole.AsSpan(PrefixLength * _model.Config.HiddenSize), rest, 1e-5, "hidden states", 1e-5);
    }

    [Fact]
    public void Cache_SeveralRows_AreRefused()
    {
        using KeyValueCache cache = new();
        ArgumentException error = Assert.Throws<ArgumentException>(() => _model.Encode(SequenceBatch.Packed([new[] { 1, 2 }, new[] { 3 }]), new() { Cache = cache }));
        Assert.Contains("2 rows", error.Message, StringComparison.Ordinal);
    }

    private void Use(string decoder)
    {
        _model.Dispose();
        _model = PretrainedModel.Create(TinyDecoders.Config(decoder), seed: 4);
    }

    // Of the shape that the model's own keys have.
    private AttentionPrefix Prefix()
    {
        using KeyValueCache cache = new();
        _model.Encode(SequenceBatch.Packed([new[] { 1 }]), new() { Cache = cache });
        long[] shape = cache.Layer(0).Keys.shape;
        manual_seed(9);
        Tensor[] parts = [.. Enumerable.Range(0, 4).Select(_ => randn(PrefixLength, shape[0], shape[2]))];
        return new(PrefixLength, layer => (parts[2 * layer], parts[(2 * layer) + 1]));
    }
}
