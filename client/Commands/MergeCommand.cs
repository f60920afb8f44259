using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary><c>client merge</c>: a checkpoint that computes by itself what a model and an adapter compute together.</summary>
public static class MergeCommand
{
    private static readonly Dictionary<string, DType> DTypesByName = new(StringComparer.Ordinal) { ["f32"] = DType.F32, ["f16"] = DType.F16, ["bf16"] = DType.BF16 };

    private sealed record Settings(string Model, string Adapter, string Output, string? DType, string[]? Labels, int Threads, bool Json)
    {
        public IReadOnlyList<string> Validate()
        {
            OptionFaults faults = new();
            faults.Folder("--model", Model);
            faults.Folder("--adapter", Adapter);
            faults.Demand(!File.Exists(Output) && !Directory.Exists(Output), "--out", Output, "a folder that does not exist yet");
            faults.Demand(DType is null || DTypesByName.ContainsKey(DType), "--dtype", DType, string.Join(", ", DTypesByName.Keys));
            if (Labels is { } labels)
                faults.Labels(labels);
            faults.Demand(Threads >= 1, "--threads", Threads, "1 or more");
            return faults.Found;
        }
    }

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Base model folder in Hugging Face layout.", Required = true };
        Option<string> adapter = new("--adapter") { Description = "Adapter folder in PEFT layout.", Required = true };
        Option<string> output = new("--out") { Description = "Folder for the merged model; must not exist.", Required = true };
        Option<string?> dtype = new("--dtype") { Description = "f32, f16 or bf16. Default: that of the base model's largest tensor." };
        Option<string?> labels = new("--labels") { Description = "Class names, comma-separated, where the adapter brings a classification head that the base model lacks." };
        Option<int> threads = new("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> json = new("--json") { Description = "Print the result as one line of JSON." };
        Command command = new("merge",
            """
            Writes an adapter into the weights of its base model: a new checkpoint folder, with the tokenizer's files, that needs no adapter.

            Example:
              client merge --model models/base --adapter adapter --out models/merged --dtype f16
            """)
        {
            model, adapter, output, dtype, labels, threads, json,
        };
        command.SetAction(parsed => CommandErrors.GuardAsync(() => Task.FromResult(Run(new(
            parsed.GetRequiredValue(model), parsed.GetRequiredValue(adapter), parsed.GetRequiredValue(output), parsed.GetValue(dtype),
            parsed.GetValue(labels)?.Split(',', StringSplitOptions.TrimEntries), parsed.GetValue(threads), parsed.GetValue(json))))));
        return command;
    }

    private static int Run(Settings settings)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Threads);
        AdapterFolder stored = AdapterFolder.Read(settings.Adapter);
        (ModelConfig own, bool hasHead) = CheckpointReader.Describe(settings.Model);
        DType dtype = settings.DType is { } name ? DTypesByName[name] : StoredType(settings.Model);
        using PretrainedModel model = PretrainedModel.Load(settings.Model, LoadOptions(settings, stored.Config, own, hasHead));
        Merge(model, stored);

        // Under another name until it is whole: a folder of the wanted name is always one that can be used.
        string partial = settings.Output.TrimEnd(Path.DirectorySeparatorChar) + ".partial";
        try
        {
            model.Save(partial, dtype);
            if (hasHead && model.Config.Task == own.Task && settings.Labels is null)
                KeepConfig(settings.Model, partial);
            TokenizerCopy.To(partial, settings.Model);
            Directory.Move(partial, settings.Output);
        }
        catch
        {
            if (Directory.Exists(partial))
                Directory.Delete(partial, recursive: true);
            throw;
        }

        Print(settings, new(settings.Output, stored.Config.PeftType, model.ParameterCount, dtype.SafetensorsName(), new FileInfo(Path.Combine(settings.Output, CheckpointFiles.SingleFile)).Length));
        return ExitCodes.Ok;
    }

    private static ModelLoadOptions LoadOptions(Settings settings, PeftConfig adapter, ModelConfig own, bool hasHead)
    {
        bool classifies = adapter.TaskType == "SEQ_CLS";
        if (classifies && settings.Labels is null && !(hasHead && own.IsClassifier))
            throw new PeftFormatException($"{settings.Adapter} is an adapter of a classifier, and {settings.Model} has no classification head: name the classes with --labels, in the order of the head's outputs.");
        return new() { Task = classifies && !own.IsClassifier ? ModelTask.SequenceClassification : null, Labels = settings.Labels };
    }

    private static void Merge(PretrainedModel model, AdapterFolder stored)
    {
        string[] untrained = [.. model.NewParameters.Where(name => !stored.Config.IsSavedWhole(name[..name.LastIndexOf('.')])).Order(StringComparer.Ordinal)];
        if (untrained.Length > 0)
            throw new PeftFormatException($"Neither the base model nor the adapter has the weights of the head: {string.Join(", ", untrained)}. An adapter that was trained with the head saves it (modules_to_save).");

        using AdaptedModel adapted = AdaptedModel.Attach(model, stored.Config, stored.Tensors);
        try
        {
            adapted.Merge();
        }
        catch (InvalidOperationException impossible)
        {
            throw new PeftFormatException(impossible.Message);
        }
    }

    private static DType StoredType(string folder)
    {
        using CheckpointFiles files = CheckpointFiles.Open(folder);
        DType largest = files.Tensors.Values.Select(tensor => tensor.Info).Where(tensor => tensor.DType.IsFloat()).MaxBy(tensor => tensor.ElementCount)?.DType ?? DType.F32;
        return largest == DType.F64 ? DType.F32 : largest;
    }

    /// <summary>Takes the base model's own configuration, with what this project does not know of, in place of the one that was written for it.</summary>
    private static void KeepConfig(string source, string target)
    {
        string written = Path.Combine(target, CheckpointFiles.ConfigFile);
        JsonObject config = JsonNode.Parse(File.ReadAllBytes(CheckpointFolder.Require(source, CheckpointFiles.ConfigFile)))!.AsObject();
        if (JsonNode.Parse(File.ReadAllBytes(written))!["torch_dtype"] is { } dtype)
        {
            config.Remove("dtype");
            config["torch_dtype"] = dtype.DeepClone();
        }

        File.WriteAllText(written, config.ToJsonString(new(JsonSerializerOptions.Default) { WriteIndented = true }));
    }

    private static void Print(Settings settings, MergeOutput output) => Console.WriteLine(settings.Json
        ? JsonSerializer.Serialize(output, CommandJson.Default.MergeOutput)
        : $"{output.Model}: {output.Parameters:N0} parameters as {output.DType}, {output.Bytes:N0} bytes, with the {output.PeftType} adapter merged");
}
