using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using Federated.Shared.Tensors;
using TorchSharp.Modules;

namespace Federated.Client.Tests.Fixtures;

/// <summary>Training from the same start on the same batches follows the official code: losses, rates, gradient norms, moments and weights.</summary>
internal static class TraceChecks
{
    internal static void Run(Golden golden)
    {
        using PretrainedModel model = PretrainedModel.Load(golden.Base);
        using AdaptedModel adapted = AdaptedModel.Load(model, golden.Folder);
        adapted.Import(Values(golden, "init.", adapted));
        ModelChecks.CheckGradients(golden, model, adapted.Trainable, golden.Step(0), "step1.grad.");
        LocalTrainer trainer = new(adapted, new CausalLanguageModelObjective(), Options(golden));

        float[] losses = golden.Floats("losses");
        List<StepReport> reports = [];
        for (int step = 0; step < losses.Length; step++)
        {
            reports.Add(trainer.Step([golden.Step(step)]));
            if (step == 0)
                CheckWeights(golden, "step1.", adapted, golden.TraceTolerance("step1"));
        }

        Near.Equal(losses, [.. reports.Select(report => (float)report.Loss)], golden.TraceTolerance("losses"), "losses");
        if (golden.Has("lr"))
            Near.Equal(golden.Floats("lr"), [.. reports.Select(report => (float)report.LearningRate)], 1e-9, "lr", 1e-6);
        if (golden.Has("grad_norm"))
            Near.Equal(golden.Floats("grad_norm"), [.. reports.Select(report => (float)report.GradientNorm)], golden.Tolerance("grad_abs"), "grad_norm", golden.Tolerance("grad_rel"));
        CheckWeights(golden, "final.", adapted, golden.TraceTolerance("final"));
        foreach (string name in trainer.OptimizerState.Names.Where(name => golden.Has("final." + name)))
            Near.Equal(golden.Floats("final." + name), trainer.OptimizerState[name], golden.TraceTolerance("final"), "final." + name);
    }

    internal static TrainingOptions Options(Golden golden)
    {
        JsonElement given = golden.Description.GetProperty("hyperparameters");
        string optimizer = given.GetProperty("optimizer").GetString()!;
        double[] betas = optimizer == "SGD" ? [given.GetProperty("momentum").GetDouble(), 0] : [.. given.GetProperty("betas").EnumerateArray().Select(beta => beta.GetDouble())];
        Assert.False(given.TryGetProperty("nesterov", out JsonElement nesterov) && nesterov.GetBoolean(), "Nesterov's momentum is not covered");
        return new()
        {
            Optimizer = optimizer.ToLowerInvariant(),
            Steps = given.GetProperty("steps").GetInt32(),
            LearningRate = given.GetProperty("lr").GetDouble(),
            Beta1 = betas[0],
            Beta2 = betas[1],
            Epsilon = given.TryGetProperty("eps", out JsonElement epsilon) ? epsilon.GetDouble() : 1e-8,
            WeightDecay = given.GetProperty("weight_decay").GetDouble(),
            Schedule = given.TryGetProperty("schedule", out JsonElement schedule) ? schedule.GetString()! : LearningRateSchedules.Constant,
            WarmupSteps = given.TryGetProperty("warmup", out JsonElement warmup) ? warmup.GetInt32() : 0,
            ClipNorm = given.TryGetProperty("clip", out JsonElement clip) ? clip.GetDouble() : null,
        };
    }

    internal static NamedTensors Values(Golden golden, string prefix, AdaptedModel adapted)
    {
        NamedTensors values = new();
        foreach ((string name, Parameter parameter) in adapted.Trainable)
            values.Add(name, parameter.shape, golden.Floats(prefix + name));
        return values;
    }

    internal static void CheckWeights(Golden golden, string prefix, AdaptedModel adapted, double tolerance)
    {
        foreach ((string name, Parameter parameter) in adapted.Trainable)
            Near.Equal(golden.Floats(prefix + name), parameter.Floats(), tolerance, prefix + name);
    }
}
