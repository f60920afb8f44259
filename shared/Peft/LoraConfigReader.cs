using System.Text.Json;
using System.Text.RegularExpressions;

namespace Federated.Shared.Peft;

/// <summary>The strict reading of <see cref="LoraConfig.Parse"/>; finds all faults before it reports.</summary>
internal static partial class LoraConfigReader
{
    private const int MaxBytes = 1 << 20;
    private const int MaxRank = 1 << 20;
    private const int MaxExpressions = 100;

    /// <summary>Fields that change nothing here, with the values in which they may stand. Null and absent are always fine.</summary>
    private static readonly Dictionary<string, Func<JsonElement, bool>> Inert = new(StringComparer.Ordinal)
    {
        ["auto_mapping"] = v => v.ValueKind == JsonValueKind.Object,
        ["revision"] = JsonFields.IsText,
        ["peft_version"] = JsonFields.IsText,
        ["megatron_core"] = JsonFields.IsText,
        ["qalora_group_size"] = v => v.ValueKind == JsonValueKind.Number,
        ["runtime_config"] = v => v.ValueKind == JsonValueKind.Object,
    };

    public static LoraConfig Read(ReadOnlyMemory<byte> utf8, string source)
    {
        if (utf8.Length > MaxBytes)
            throw new PeftFormatException($"{source}: {utf8.Length} bytes; an adapter configuration has at most {MaxBytes}.");

        try
        {
            using JsonDocument document = JsonDocument.Parse(utf8, new() { MaxDepth = 16, AllowDuplicateProperties = false });
            if (document.RootElement.ValueKind != JsonValueKind.Object)
                throw new PeftFormatException($"{source}: the configuration is {document.RootElement.ValueKind}, wanted an object.");

            List<string> faults = [];
            LoraConfig? config = Read(new(document.RootElement, faults), faults);
            return faults.Count == 0 && config is not null ? config : throw PeftFormatException.Of(source, faults);
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

    private static LoraConfig? Read(JsonFields fields, List<string> faults)
    {
        string? type = fields.Text("peft_type");
        if (type != "LORA")
        {
            faults.Add($"peft_type is '{type}'; only LORA is read here.");
            return null;
        }

        ModuleSelector? targets = Selector(fields, faults, "target_modules");
        if (targets is null && faults.Count == 0)
            faults.Add("target_modules is missing; name the modules, or all-linear.");

        const string Positive = "a whole number from 1 to 1048576";
        LoraConfig config = new()
        {
            Rank = (int)fields.Number("r", 8, IsRank, Positive),
            Alpha = fields.Number("lora_alpha", 8, _ => true, "a number"),
            Dropout = fields.Number("lora_dropout", 0, p => p is >= 0 and < 1, "a probability of 0 or more and less than 1"),
            TargetModules = targets ?? ModuleSelector.AllLinear,
            ExcludeModules = Selector(fields, faults, "exclude_modules"),
            RankPattern = [.. fields.Numbers("rank_pattern", IsRank, Positive).Select(e => KeyValuePair.Create(e.Key, (int)e.Value))],
            AlphaPattern = fields.Numbers("alpha_pattern", _ => true, "a number"),
            Bias = Bias(fields),
            ModulesToSave = fields.Texts("modules_to_save"),
            LayersToTransform = fields.Wholes("layers_to_transform"),
            LayersPattern = LayersPattern(fields),
            UseRsLora = fields.Flag("use_rslora", false),
            UseDora = fields.Flag("use_dora", false),
            FanInFanOut = fields.Flag("fan_in_fan_out", false),
            TaskType = fields.Text("task_type"),
            BaseModelNameOrPath = fields.Text("base_model_name_or_path"),
            InitLoraWeights = Init(fields),
            InferenceMode = fields.Flag("inference_mode", false),
        };
        CheckPatterns(config, faults);
        return config with { Extra = Rest(fields, faults) };
    }

    private static bool IsRank(double value) => value is >= 1 and <= MaxRank && value == Math.Floor(value);

    private static ModuleSelector? Selector(JsonFields fields, List<string> faults, string name)
    {
        if (!fields.TryGet(name, out JsonElement value))
            return null;

        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                return ModuleSelector.OfPattern(value.GetString()!);
            }
            catch (PeftFormatException error)
            {
                faults.Add($"{name}: {error.Message}");
                return null;
            }
        }

        IReadOnlyList<string>? names = fields.Texts(name);
        if (names is { Count: 0 })
            fields.Fault(name, value, "at least one name");

        return names is { Count: > 0 } ? ModuleSelector.OfNames(names) : null;
    }

    private static LoraBias Bias(JsonFields fields)
    {
        switch (fields.Text("bias"))
        {
            case null or "none": return LoraBias.None;
            case "all": return LoraBias.All;
            case "lora_only": return LoraBias.LoraOnly;
            default:
                fields.TryGet("bias", out JsonElement got);
                fields.Fault("bias", got, "none, all or lora_only");
                return LoraBias.None;
        }
    }

    private static IReadOnlyList<string>? LayersPattern(JsonFields fields) =>
        fields.TryGet("layers_pattern", out JsonElement value) && JsonFields.IsText(value)
            ? value.GetString() is { Length: > 0 } single ? [single] : null
            : fields.Texts("layers_pattern");

    private static string Init(JsonFields fields)
    {
        if (!fields.TryGet("init_lora_weights", out JsonElement value))
            return LoraConfig.DefaultInit;

        switch (value.ValueKind)
        {
            case JsonValueKind.True: return LoraConfig.DefaultInit;
            case JsonValueKind.False: return LoraConfig.RandomInit;
            case JsonValueKind.String when SupportedInit().IsMatch(value.GetString()!): return value.GetString()!;
            default:
                fields.Fault("init_lora_weights", value, "true, false, gaussian, olora, pissa or pissa_niter_N; other ways to start are not supported");
                return LoraConfig.DefaultInit;
        }
    }

    private static void CheckPatterns(LoraConfig config, List<string> faults)
    {
        string[] suffixes = [.. config.RankPattern.Select(e => e.Key), .. config.AlphaPattern.Select(e => e.Key)];
        int expressions = suffixes.Count(pattern => !ModulePattern.IsPlain(pattern)) + (config.LayersPattern?.Count ?? 0);
        if (expressions > MaxExpressions)
        {
            faults.Add($"rank_pattern, alpha_pattern and layers_pattern hold {expressions} regular expressions; at most {MaxExpressions} are read. Write out the ends of names.");
            return;
        }

        foreach ((string pattern, bool isLayer) in suffixes.Select(p => (p, false)).Concat((config.LayersPattern ?? []).Select(p => (p, true))))
        {
            try
            {
                _ = isLayer ? ModulePattern.LayerIndex(pattern) : ModulePattern.Suffix(pattern);
            }
            catch (PeftFormatException error)
            {
                faults.Add(error.Message);
            }
        }
    }

    /// <summary>Keeps what has no effect; anything else that holds a value would change the adapter in a way that is not supported.</summary>
    private static SortedDictionary<string, JsonElement> Rest(JsonFields fields, List<string> faults)
    {
        SortedDictionary<string, JsonElement> rest = new(StringComparer.Ordinal);
        foreach (JsonProperty field in fields.Unread)
        {
            if (IsEmpty(field.Value) || (Inert.TryGetValue(field.Name, out Func<JsonElement, bool>? fits) && fits(field.Value)))
                rest.Add(field.Name, field.Value.Clone());
            else
                faults.Add($"{field.Name} is {JsonFields.Show(field.Value)}: not supported here; only null, false or empty is accepted.");
        }

        return rest;
    }

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False => true,
        JsonValueKind.Object => value.GetPropertyCount() == 0,
        JsonValueKind.Array => value.GetArrayLength() == 0,
        _ => false,
    };

    [GeneratedRegex(@"\A(gaussian|olora|pissa|pissa_niter_[0-9]{1,4})\z", RegexOptions.CultureInvariant)]
    private static partial Regex SupportedInit();
}
