using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training;
using Federated.Client.Training.Objectives;
using TorchSharp;

namespace Federated.Benchmarks;

/// <summary>This product's side of <c>train-step</c>, in a process of its own so that its peak memory is its own.</summary>
internal static class TrainStepWorker
{
    internal const string Name = "train-step-worker";

    internal static Command Command()
    {
        Option<string> work = new("--work") { Required = true }, batches = new("--case") { Required = true };
        Option<int> threads = new("--threads") { Required = true };
        Option<double> seconds = new("--seconds") { Required = true };
        Command command = new(Name, "One measurement of train-step; prints one JSON line.") { work, batches, threads, seconds };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            torch.set_num_threads(parsed.GetValue(threads));
            Console.WriteLine(JsonSerializer.Serialize(Measure(parsed.GetRequiredValue(work), parsed.GetRequiredValue(batches), parsed.GetValue(seconds))));
        });
        return command;
    }

    private static TrainStepMeasurement Measure(string work, string name, double seconds)
    {
        using PretrainedModel model = PretrainedModel.Load(Path.Combine(work, "model"));
        using AdaptedModel adapted = AdaptedModel.Load(model, Path.Combine(work, "adapter"));
        TrainingBatch[] batches = TrainStepWork.Read(work, name, model);
        IObjective objective = model.Config.IsClassifier ? new ClassificationObjective() : new CausalLanguageModelObjective();
        TrainingOptions options = new() { Steps = int.MaxValue, LearningRate = 1e-3, WeightDecay = 0.01 };
        LocalTrainer trainer = new(model, adapted.Trainable, objective, options);

        double first = trainer.Step([batches[0]]).Loss, later = first;
        for (int i = 1; i < batches.Length; i++)
            later = trainer.Step([batches[i]]).Loss;

        List<double> wall = [], cpu = [];
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        for (int i = 0; Stopwatch.GetTimestamp() < end || i < batches.Length; i++)
        {
            TrainingBatch batch = batches[i % batches.Length];
            TimeSpan used = Environment.CpuUsage.TotalTime;
            long started = Stopwatch.GetTimestamp();
            trainer.Step([batch]);
            wall.Add(batch.Input.RealTokens / Stopwatch.GetElapsedTime(started).TotalSeconds);
            cpu.Add(batch.Input.RealTokens / (Environment.CpuUsage.TotalTime - used).TotalSeconds);
        }

        double peak = MeasuredProcess.ResidentMiB("VmHWM"), speed = Median(wall), cpuSpeed = Median(cpu);
        TrainStepMeasurement measured = new(speed, cpuSpeed, wall.Count, first, later, peak, "Federated");
        return model.Config is LlamaConfig llama ? WithProducts(measured, llama, batches[0].Tokens) : measured;
    }

    private static TrainStepMeasurement WithProducts(TrainStepMeasurement measured, LlamaConfig model, SequenceBatch batch)
    {
        TrainStepProducts products = new(model, batch);
        double stepSeconds = batch.Count / measured.TokensPerCpuSecond;
        return measured with
        {
            ProductShare = products.CpuSeconds() / stepSeconds,
            PeakShare = products.Operations / stepSeconds / TrainStepProducts.PeakOperationsPerCpuSecond(),
        };
    }

    private static double Median(List<double> values)
    {
        values.Sort();
        return values[values.Count / 2];
    }
}
