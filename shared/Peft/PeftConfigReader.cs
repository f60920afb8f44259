using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The strict reading of <see cref="PeftConfig.Parse"/>; finds all faults before it reports.</summary>
internal static class PeftConfigReader
{
    internal const int MaxBytes = 1 << 20;

    /// <summary>Fields of every kind that change nothing here, with the values in which they may stand. Null and absent are always fine.</summary>
    private static readonly (string Name, Func<JsonElement, bool> Fits)[] Inert =
    [
        ("auto_mapping", v => v.ValueKind == JsonValueKind.Object), ("revision", JsonFields.IsText), ("peft_version", JsonFields.IsText),
    ];

    internal static PeftConfig Read(ReadOnlyMemory<byte> utf8, string source)
    {
        if (utf8.Length > MaxBytes)
            throw new PeftFormatException($"{source}: more than {MaxBytes} bytes, the most an adapter configuration may have.");

        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, new() { MaxDepth = 16, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new PeftFormatException($"{source}: the configuration is {document.RootElement.ValueKind}, wanted an object.");

            List<string> faults = [];
            PeftConfig? config = Read(new(document.RootElement, faults), faults);
            return faults.Count == 0 && config is not null
                ? config with { Origin = new(JsonObject.Create(document.RootElement.Clone())!, PeftConfigWriter.Fields(config)) }
                : throw PeftFormatException.Of(source, faults);
        }
        catch (JsonException error)
        {
            throw new PeftFormatException($"{source}: no valid JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // The parser's answer to text that is no UTF-8 or holds half a surrogate pair.
            throw new PeftFormatException($"{source}: holds invalid text: {error.Message}", error);
        }
    }

    /// <summary>What a file with nothing but its kind would give.</summary>
    internal static PeftConfig Defaults(string kind)
    {
        using JsonDocument empty = JsonDocument.Parse("{}");
        JsonFields fields = new(empty.RootElement, []);
        return ReadCommon(fields, PeftKinds.Reader(kind)!(fields), []);
    }

    private static PeftConfig? Read(JsonFields fields, List<string> faults)
    {
        string? kind = fields.Text("peft_type");
        if (kind is null || PeftKinds.Reader(kind) is not { } reader)
        {
            faults.Add($"peft_type is {(kind is null ? "missing" : $"'{kind}'")}; known are {string.Join(", ", PeftKinds.Names)}.");
            return null;
        }

        PeftConfig config = ReadCommon(fields, reader(fields), faults);
        CheckRest(fields, faults);
        return config;
    }

    private static PeftConfig ReadCommon(JsonFields fields, PeftConfig config, List<string> faults)
    {
        config = config with
        {
            TaskType = fields.Text("task_type"),
            BaseModelNameOrPath = fields.Text("base_model_name_or_path"),
            InferenceMode = fields.Flag("inference_mode", false),
        };
        if (config.Common.HasFlag(CommonFields.ModulesToSave))
            config = config with { ModulesToSave = fields.Texts("modules_to_save") };
        if (config.Common.HasFlag(CommonFields.Layers))
            config = config with { LayersToTransform = fields.Wholes("layers_to_transform"), LayersPattern = fields.Patterns("layers_pattern") };
        if (!config.Common.HasFlag(CommonFields.Targets))
            return config;

        ModuleSelector? targets = fields.Selector("target_modules");
        if (targets is null && faults.Count == 0)
            faults.Add("target_modules is missing; name the modules, or all-linear.");
        return config with { TargetModules = targets ?? ModuleSelector.None, ExcludeModules = fields.Selector("exclude_modules") };
    }

    /// <summary>Lets pass what has no effect; anything else that holds a value would change the adapter in a way that is not supported.</summary>
    private static void CheckRest(JsonFields fields, List<string> faults)
    {
        foreach ((string name, Func<JsonElement, bool> fits) in Inert)
            fields.Ignore(name, fits);
        faults.AddRange(fields.Unread.Where(field => !IsEmpty(field.Value))
            .Select(field => $"{field.Name} is {JsonFields.Show(field.Value)}: not supported here; only null, false or empty is accepted."));
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };
}
