using System.CommandLine;
using Federated.Client.Training;

namespace Federated.Client.Commands;

/// <summary><c>client train</c>: the agent's training without a coordinator, on one file.</summary>
public static class TrainCommand
{
    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        TaskOptions task = new();
        AdapterOptions adapter = new();
        Option<string> output = new("--out") { Description = "Folder for the adapter, in PEFT layout; with --full for the checkpoint.", Required = true };
        Option<int> steps = new("--steps") { Description = "Optimiser steps.", DefaultValueFactory = _ => 200 };
        Option<int> batch = new("--batch-size") { Description = "Examples in a batch; of plain text, blocks of --max-tokens.", DefaultValueFactory = _ => 16 };
        Option<int> accumulate = new("--accumulate") { Description = "Batches of a step, one after the other.", DefaultValueFactory = _ => 1 };
        Option<double?> rate = new("--learning-rate") { Description = "Peak learning rate. Default: 2e-3 for an adapter, 5e-5 with --full." };
        Option<int> warmup = new("--warmup-steps") { Description = "Steps of linear warm-up.", DefaultValueFactory = _ => 10 };
        Option<string> schedule = new("--schedule") { Description = "cosine, linear or constant.", DefaultValueFactory = _ => LearningRateSchedules.Cosine };
        Option<double> decay = new("--weight-decay") { Description = "Weight decay of AdamW." };
        Option<double> clip = new("--clip-norm") { Description = "Clip the gradient norm to this; 0 for none.", DefaultValueFactory = _ => 1 };
        Option<double> holdout = new("--holdout-share") { Description = "Share of the examples held out.", DefaultValueFactory = _ => 0.1 };
        Option<long> seed = new("--seed") { Description = "Seed of new weights, batches and dropout.", DefaultValueFactory = _ => 1 };
        Option<int> every = new("--checkpoint-every") { Description = "Steps between two checkpoints, in OUT.checkpoint; the same command goes on from there. 0 for none." };
        Command command = new("train",
            """
            Fine-tunes an adapter, or a whole model, on this machine's data, without a coordinator.

            Examples:
              client train --model models/base --data mail.jsonl --labels ham,spam --steps 200 --out adapter
              client train --model models/base --data speeches.txt --rank 16 --checkpoint-every 100 --out adapter
              client train --model models/vit --data photographs --target-modules query,value --out adapter
              client train --model models/base --data pairs.csv --adapter-config ia3.json --out adapter --json
            """)
        {
            output, steps, batch, accumulate, rate, warmup, schedule, decay, clip, holdout, seed, every,
        };
        task.AddTo(command);
        adapter.AddTo(command);
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => Task.FromResult(new TrainRun(
            new()
            {
                Task = task.Parse(parsed),
                Adapter = adapter.Parse(parsed),
                Output = parsed.GetRequiredValue(output),
                BatchSize = parsed.GetValue(batch),
                HoldoutShare = parsed.GetValue(holdout),
                ClipNorm = parsed.GetValue(clip),
                CheckpointEvery = parsed.GetValue(every),
                Training = new()
                {
                    Steps = parsed.GetValue(steps),
                    BatchesPerStep = parsed.GetValue(accumulate),
                    LearningRate = parsed.GetValue(rate) ?? TrainSettings.UsualRate(adapter.Parse(parsed).Full),
                    WarmupSteps = parsed.GetValue(warmup),
                    Schedule = parsed.GetRequiredValue(schedule),
                    WeightDecay = parsed.GetValue(decay),
                    ClipNorm = parsed.GetValue(clip) is > 0 and double norm ? norm : null,
                    Seed = parsed.GetValue(seed),
                },
            }).Execute(cancellation))));
        return command;
    }
}
