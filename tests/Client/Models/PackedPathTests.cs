using Federated.Client.Models;
using Federated.Client.Tests.Fixtures;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Models;

/// <summary>Packing sequences end to end gives what padding them gives, without the padding.</summary>
public sealed class PackedPathTests
{
    public static TheoryData<int, int, int> Batches => new()
    {
        { 1, 1, 1 }, { 2, 1, 9 }, { 3, 7, 11 }, { 4, 16, 3 }, { 5, 5, 30 }, { 6, 12, 12 },
    };

    [Theory]
    [MemberData(nameof(Batches))]
    public void Forward_RaggedBatch_EqualsPadded(int seed, int count, int longest)
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), (ulong)seed);
        using IDisposable _ = no_grad();
        using DisposeScope scope = NewDisposeScope();
        IReadOnlyList<ReadOnlyMemory<int>> sequences = TinyLlama.Sequences(seed, count, longest);
        SequenceBatch packed = SequenceBatch.Packed(sequences), padded = SequenceBatch.Padded(sequences, 0);
        float[] flat = model.Logits(packed).Floats().ToArray(), square = model.Logits(padded).Floats().ToArray();

        Assert.Equal(sequences.Sum(sequence => sequence.Length), packed.Count);
        for (int row = 0; row < count; row++)
        {
            int length = sequences[row].Length * TinyLlama.Vocabulary;
            Near.Equal(square.AsSpan(row * padded.Width * TinyLlama.Vocabulary, length), flat.AsSpan(packed.Offsets.Span[row] * TinyLlama.Vocabulary, length), 2e-5, $"row {row}");
        }
    }

    public static TheoryData<string, string> Trained => TinyDecoders.With(KnownObjectives.CausalLanguageModel, KnownObjectives.Classification);

    [Theory]
    [MemberData(nameof(Trained))]
    public void Gradients_RaggedBatch_EqualPadded(string decoder, string objectiveName)
    {
        const int seed = 11;
        bool causal = objectiveName == KnownObjectives.CausalLanguageModel;
        using PretrainedModel model = PretrainedModel.Create(TinyDecoders.Config(decoder, causal ? ModelTask.CausalLanguageModel : ModelTask.SequenceClassification), seed);
        IReadOnlyList<ReadOnlyMemory<int>> sequences = TinyLlama.Sequences(seed, 9, 14, shortest: 2);
        SequenceBatch padded = SequenceBatch.Padded(sequences, 0);
        long[] labels = padded.Ids.ToArray(), classes = [.. Enumerable.Range(0, 9).Select(i => (long)(i % 2))];
        for (int i = 0; i < labels.Length; i++)
            labels[i] = labels[i] == 0 ? TrainingBatch.Ignored : labels[i];

        IObjective objective = KnownObjectives.Of(objectiveName);
        Dictionary<string, float[]> expected = Gradients(model, objective, new(padded) { TokenLabels = labels, ClassLabels = classes });
        Dictionary<string, float[]> actual = Gradients(model, objective, TrainingBatch.ForLanguageModel(sequences) with { ClassLabels = classes });
        Assert.All(expected, gradient => Near.Equal(gradient.Value, actual[gradient.Key], 5e-5, gradient.Key, 1e-4));
        Assert.Contains(expected.Values, gradient => gradient.Any(value => Math.Abs(value) > 0.01));
    }

    public static TheoryData<string, bool> Encoded => TinyDecoders.With(true, false);

    [Theory]
    [MemberData(nameof(Encoded))]
    public void Encode_SomePositions_EqualsThoseOfAll(string decoder, bool packed)
    {
        using PretrainedModel model = PretrainedModel.Create(TinyDecoders.Config(decoder), 21);
        using DisposeScope scope = NewDisposeScope();
        IReadOnlyList<ReadOnlyMemory<int>> sequences = TinyLlama.Sequences(21, 5, 12, shortest: 3);
        SequenceBatch batch = packed ? SequenceBatch.Packed(sequences) : SequenceBatch.Padded(sequences, 0);
        long[] positions = [2, 0, batch.Offsets.Span[3] + 1, batch.Offsets.Span[4]];
        Tensor wanted = tensor(positions, [positions.Length]);

        Dictionary<string, float[]> expected = Gradients(model, () => model.Encode(batch).index_select(0, wanted).pow(2).sum());
        Dictionary<string, float[]> actual = Gradients(model, () => model.Encode(batch, new() { Positions = positions }).pow(2).sum());
        Assert.Equal(expected.Keys.Order(), actual.Keys.Order());
        Assert.All(expected, gradient => Near.Equal(gradient.Value, actual[gradient.Key], 5e-5, gradient.Key, 1e-4));
        Near.Equal(
            model.Encode(batch).index_select(0, wanted).Floats(), model.Encode(batch, new() { Positions = positions }).Floats(), 1e-5, "hidden states", 1e-5);
    }

    [Fact]
    public void Encode_SomePositionsWithTrace_TracesAllAndReturnsThose()
    {
        using PretrainedModel model = PretrainedModel.Create(TinyLlama.Config(), 22);
        using DisposeScope scope = NewDisposeScope();
        using IDisposable _ = no_grad();
        SequenceBatch batch = SequenceBatch.Padded(TinyLlama.Sequences(22, 3, 8, shortest: 4), 0);
        using ForwardTrace trace = new();
        Tensor traced = model.Encode(batch, new() { Positions = [3, 1], Trace = trace });
        Assert.All(trace.HiddenStates, hidden => Assert.Equal(batch.Count, hidden.shape[0]));
        Near.Equal(model.Encode(batch, new() { Positions = [3, 1] }).Floats(), traced.Floats(), 1e-5, "hidden states", 1e-5);
    }

    private static Dictionary<string, float[]> Gradients(PretrainedModel model, IObjective objective, TrainingBatch batch) =>
        Gradients(model, () => objective.Sum(model, batch));

    private static Dictionary<string, float[]> Gradients(PretrainedModel model, Func<Tensor> loss)
    {
        using DisposeScope scope = NewDisposeScope();
        foreach ((_, Parameter parameter) in model.Parameters)
            (parameter.requires_grad, parameter.grad) = (true, null);
        loss().backward();
        return model.Parameters.Where(parameter => parameter.Value.grad is not null)
            .ToDictionary(parameter => parameter.Name, parameter => parameter.Value.grad!.Floats().ToArray());
    }
}
