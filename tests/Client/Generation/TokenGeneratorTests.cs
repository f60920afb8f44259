using Federated.Client.Generation;
using Federated.Client.Models;
using Federated.Client.Tests.Models;
using Federated.Client.Tests.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Generation;

/// <summary>A decoder goes on from a prompt, and stops when it should.</summary>
[Collection(nameof(NativeState))]
public sealed class TokenGeneratorTests : IDisposable
{
    private readonly PretrainedModel _model = PretrainedModel.Create(TinyLlama.Config(), seed: 4);
    private readonly int[] _prompt = TinyLlama.Sequences(6, 1, 5, shortest: 5)[0].ToArray();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Greedy_EqualsReadingTheWholeTextEachTime()
    {
        (FinishReason reason, List<int> tokens) = Generate(new() { MaxNewTokens = 20 });
        Assert.Equal(FinishReason.MaxTokens, reason);
        List<int> expected = [.. _prompt];
        using IDisposable _ = no_grad();
        while (expected.Count < _prompt.Length + 20)
        {
            using DisposeScope scope = NewDisposeScope();
            expected.Add((int)_model.Logits(SequenceBatch.Packed([expected.ToArray()]))[-1].argmax().item<long>());
        }

        Assert.Equal(expected.Skip(_prompt.Length), tokens);
    }

    [Fact]
    public void EndToken_EndsTheTextAndIsNotPartOfIt()
    {
        List<int> all = Generate(new() { MaxNewTokens = 20 }).Tokens;
        int end = all[7];
        (FinishReason reason, List<int> tokens) = Generate(new() { MaxNewTokens = 20, EndTokens = [end] });
        Assert.Equal(FinishReason.EndOfText, reason);
        Assert.Equal(all.TakeWhile(token => token != end), tokens);
    }

    [Fact]
    public void Context_FilledToTheLastPlace_Ends()
    {
        (FinishReason reason, List<int> tokens) = Generate(new() { MaxNewTokens = 1000 });
        Assert.Equal(FinishReason.ContextFull, reason);
        // The last token is written by the last place and needs none of its own.
        Assert.Equal(_model.TextConfig.MaxPositions - _prompt.Length + 1, tokens.Count);
    }

    [Fact]
    public void Taker_ThatWantsNoMore_Ends()
    {
        List<int> tokens = [];
        FinishReason reason = new TokenGenerator(_model).Generate(_prompt, new(), token =>
        {
            tokens.Add(token);
            return tokens.Count < 3;
        });
        Assert.Equal((FinishReason.Stopped, 3), (reason, tokens.Count));
    }

    [Fact]
    public void Generation_LeavesNoTensorBehind()
    {
        Generate(new() { MaxNewTokens = 3 });
        long before = Tensor.TotalCount;
        Generate(new() { MaxNewTokens = 30 });
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Prompt_EmptyOrAsLongAsTheContext_IsRefused()
    {
        TokenGenerator generator = new(_model);
        Assert.Contains("1 to 63", Assert.Throws<ArgumentException>(() => generator.Generate(Array.Empty<int>(), new(), _ => true)).Message, StringComparison.Ordinal);
        Assert.Contains("64 tokens", Assert.Throws<ArgumentException>(() => generator.Generate(new int[64], new(), _ => true)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Classifier_IsRefused()
    {
        using PretrainedModel classifier = PretrainedModel.Create(TinyLlama.Config(task: ModelTask.SequenceClassification), seed: 1);
        Assert.Throws<ArgumentException>(() => new TokenGenerator(classifier));
    }

    [Fact]
    public void Weights_NotFinite_AreNamed()
    {
        _model.Backbone.TokenTable!.Floats()[(_prompt[^1] * _model.Config.HiddenSize)..][0] = float.NaN;
        Assert.Throws<InvalidDataException>(() => Generate(new()));
    }

    private (FinishReason Reason, List<int> Tokens) Generate(GenerationOptions options)
    {
        List<int> tokens = [];
        FinishReason reason = new TokenGenerator(_model).Generate(_prompt, options, token =>
        {
            tokens.Add(token);
            return true;
        });
        return (reason, tokens);
    }
}
