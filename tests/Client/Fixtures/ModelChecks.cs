using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Tests.Fixtures;

/// <summary>A checkpoint gives the official code's logits, inner states, losses, gradients and greedy continuations.</summary>
internal static class ModelChecks
{
    internal static void Run(Golden golden)
    {
        using PretrainedModel model = PretrainedModel.Load(golden.Folder);
        using DisposeScope scope = NewDisposeScope();
        TrainingBatch batch = golden.Batch();
        CheckForward(golden, model, batch);
        CheckVariants(golden, model);
        CheckLoss(golden, model, model.Parameters, batch, "loss");
        if (golden.Has("greedy.new_ids"))
            CheckGreedy(golden, model, batch.Tokens);
        if (golden.Has("multi_label.loss"))
            CheckTargets(golden, model, batch.Input);
    }

    /// <summary>The loss and, where golden, every gradient.</summary>
    internal static void CheckLoss(Golden golden, PretrainedModel model, IReadOnlyList<(string Name, Parameter Value)> parameters, TrainingBatch batch, string name, Func<Tensor?>? penalty = null)
    {
        float loss = CheckGradients(golden, model, parameters, batch, "grad.", penalty);
        Near.Equal(golden.Floats(name), [loss], golden.Tolerance("loss"), name);
    }

    /// <summary>The gradients whose golden names start with <paramref name="prefix"/>.</summary>
    /// <returns>The loss.</returns>
    internal static float CheckGradients(Golden golden, PretrainedModel model, IReadOnlyList<(string Name, Parameter Value)> parameters, TrainingBatch batch, string prefix, Func<Tensor?>? penalty = null)
    {
        using DisposeScope scope = NewDisposeScope();
        IObjective objective = KnownObjectives.Of(model.Config.Task switch
        {
            ModelTask.CausalLanguageModel => KnownObjectives.CausalLanguageModel,
            ModelTask.MaskedLanguageModel => KnownObjectives.MaskedLanguageModel,
            _ => KnownObjectives.Classification,
        });
        foreach ((_, Parameter parameter) in parameters)
            parameter.requires_grad = true;
        Tensor loss = objective.Sum(model, batch) / (float)objective.Terms(batch);
        if (penalty?.Invoke() is { } term)
            loss += term;
        loss.backward();

        Dictionary<string, Parameter> byName = parameters.ToDictionary(StringComparer.Ordinal);
        string[] gradients = [.. golden.Names.Where(tensor => tensor.StartsWith(prefix, StringComparison.Ordinal))];
        Assert.NotEmpty(gradients);
        foreach (string gradient in gradients)
        {
            Tensor? actual = byName[gradient[prefix.Length..]].grad;
            Assert.True(actual is not null, $"{gradient}: no gradient");
            Near.Equal(golden.Floats(gradient), actual.Floats(), golden.Tolerance("grad_abs"), gradient, golden.Tolerance("grad_rel"));
        }

        foreach ((_, Parameter parameter) in parameters)
            parameter.grad = null;
        return loss.item<float>();
    }

    private static void CheckForward(Golden golden, PretrainedModel model, TrainingBatch batch)
    {
        using ForwardTrace trace = new();
        using IDisposable _ = no_grad();
        Near.Equal(golden.Floats("logits"), model.Logits(batch.Input, trace).Floats(), golden.Tolerance("logits"), "logits");
        Assert.Equal(golden.Has("attentions.0"), trace.Attentions.Count > 0);
        Assert.NotEmpty(trace.HiddenStates);
        for (int i = 0; i < trace.HiddenStates.Count; i++)
            Near.Equal(golden.Floats($"hidden_states.{i}"), trace.HiddenStates[i].contiguous().Floats(), golden.Tolerance("hidden_states"), $"hidden_states.{i}");
        for (int i = 0; i < trace.Attentions.Count; i++)
            Near.Equal(golden.Floats($"attentions.{i}"), trace.Attentions[i].contiguous().Floats(), golden.Tolerance("attentions"), $"attentions.{i}");
        Assert.False(golden.Has($"hidden_states.{trace.HiddenStates.Count}"), "the trace lacks hidden states");
        Assert.False(golden.Has($"attentions.{trace.Attentions.Count}"), "the trace lacks attentions");
    }

    private static void CheckVariants(Golden golden, PretrainedModel model)
    {
        using IDisposable _ = no_grad();
        if (!golden.Has("no_mask.logits"))
        {
            Assert.True(golden.Has("pixel_values"), "a text model without no_mask.logits");
            return;
        }

        Near.Equal(golden.Floats("no_mask.logits"), model.Logits(golden.Batch(mask: null).Tokens).Floats(), golden.Tolerance("logits"), "no_mask.logits");
        if (!golden.Has("left.logits"))
            return;

        float[] left = model.Logits(golden.Batch("left.input_ids", "left.attention_mask", "left.position_ids").Tokens).Floats().ToArray(), expected = golden.Floats("left.logits");
        long[] mask = golden.Longs("left.attention_mask");
        Assert.Equal(golden.Longs("attention_mask").Order(), mask.Order());
        Assert.All(left, value => Assert.True(float.IsFinite(value), "left.logits holds a number that is not finite"));
        int width = left.Length / mask.Length;
        for (int i = 0; i < mask.Length; i++)
        {
            if (mask[i] == 1)
                Near.Equal(expected.AsSpan(i * width, width), left.AsSpan(i * width, width), golden.Tolerance("logits"), $"left.logits of position {i}");
        }
    }

    private static void CheckGreedy(Golden golden, PretrainedModel model, SequenceBatch batch)
    {
        using IDisposable _ = no_grad();
        long[] expected = golden.Longs("greedy.new_ids"), mask = golden.Longs("attention_mask");
        int count = expected.Length / batch.Rows;
        for (int row = 0; row < batch.Rows; row++)
        {
            int length = (int)mask.AsSpan(row * batch.Width, batch.Width).ToArray().Sum();
            int[] start = [.. batch.Ids.Slice(row * batch.Width, length).ToArray().Select(id => (int)id)];
            long[] wanted = expected[(row * count)..((row + 1) * count)];
            using KeyValueCache cache = new();
            Assert.Equal(wanted, Greedy(start, count, ids => model.Logits(SequenceBatch.Packed([ids.ToArray()]))));
            Assert.Equal(wanted, Greedy(start, count, ids => model.Head.Logits(model.Encode(SequenceBatch.Packed([ids.Skip(cache.Length).ToArray()]), new() { Cache = cache }))));
        }
    }

    private static IEnumerable<long> Greedy(int[] start, int count, Func<List<int>, Tensor> logits)
    {
        List<int> ids = [.. start];
        for (int i = 0; i < count; i++)
        {
            using DisposeScope scope = NewDisposeScope();
            ids.Add((int)logits(ids)[-1].argmax().item<long>());
        }

        return ids.Skip(start.Length).Select(id => (long)id);
    }

    private static void CheckTargets(Golden golden, PretrainedModel model, ModelInput tokens)
    {
        using IDisposable _ = no_grad();
        foreach ((string name, IObjective objective) in new (string, IObjective)[] { ("multi_label", TargetObjective.MultiLabel), ("regression", TargetObjective.Regression) })
        {
            TrainingBatch batch = new(tokens) { Targets = golden.Floats($"{name}.labels") };
            Near.Equal(golden.Floats($"{name}.loss"), [objective.Sum(model, batch).item<float>() / objective.Terms(batch)], golden.Tolerance("loss"), $"{name}.loss");
        }
    }
}
