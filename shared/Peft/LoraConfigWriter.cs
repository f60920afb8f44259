using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Federated.Shared.Peft;

/// <summary>The text of <see cref="LoraConfig.ToJson"/>.</summary>
internal static class LoraConfigWriter
{
    private static readonly JsonWriterOptions Layout = new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fields that some versions of PEFT expect and that have no effect here, with PEFT's defaults.</summary>
    private static readonly string[] NullFields = ["auto_mapping", "layer_replication", "megatron_config", "revision"];

    public static byte[] Write(LoraConfig config)
    {
        SortedDictionary<string, Action<Utf8JsonWriter>> fields = new(StringComparer.Ordinal);
        foreach (string name in NullFields)
            fields[name] = json => json.WriteNullValue();

        fields["loftq_config"] = json => Object(json, []);
        fields["megatron_core"] = json => json.WriteStringValue("megatron.core");
        foreach ((string name, JsonElement value) in config.Extra)
            fields[name] = value.WriteTo;

        fields["peft_type"] = json => json.WriteStringValue("LORA");
        fields["r"] = json => json.WriteNumberValue(config.Rank);
        fields["lora_alpha"] = json => Number(json, config.Alpha);
        fields["lora_dropout"] = json => Float(json, config.Dropout);
        fields["target_modules"] = json => Selector(json, config.TargetModules);
        if (config.ExcludeModules is not null)
            fields["exclude_modules"] = json => Selector(json, config.ExcludeModules);

        fields["rank_pattern"] = json => Object(json, config.RankPattern.Select(e => KeyValuePair.Create(e.Key, (double)e.Value)));
        fields["alpha_pattern"] = json => Object(json, config.AlphaPattern);
        fields["bias"] = json => json.WriteStringValue(config.Bias switch { LoraBias.All => "all", LoraBias.LoraOnly => "lora_only", _ => "none" });
        fields["modules_to_save"] = json => List(json, config.ModulesToSave, (item, j) => j.WriteStringValue(item));
        fields["layers_to_transform"] = json => List(json, config.LayersToTransform, (item, j) => j.WriteNumberValue(item));
        fields["layers_pattern"] = json => List(json, config.LayersPattern, (item, j) => j.WriteStringValue(item));
        fields["use_rslora"] = json => json.WriteBooleanValue(config.UseRsLora);
        fields["use_dora"] = json => json.WriteBooleanValue(config.UseDora);
        fields["fan_in_fan_out"] = json => json.WriteBooleanValue(config.FanInFanOut);
        fields["task_type"] = json => json.WriteStringValue(config.TaskType);
        fields["base_model_name_or_path"] = json => json.WriteStringValue(config.BaseModelNameOrPath);
        fields["init_lora_weights"] = json => Init(json, config.InitLoraWeights);
        fields["inference_mode"] = json => json.WriteBooleanValue(config.InferenceMode);
        return Render(fields);
    }

    private static byte[] Render(SortedDictionary<string, Action<Utf8JsonWriter>> fields)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, Layout))
        {
            json.WriteStartObject();
            foreach ((string name, Action<Utf8JsonWriter> write) in fields)
            {
                json.WritePropertyName(name);
                write(json);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }

    private static void Selector(Utf8JsonWriter json, ModuleSelector selector)
    {
        if (selector.Pattern is not null)
            json.WriteStringValue(selector.Pattern);
        else
            List(json, selector.Names, (item, j) => j.WriteStringValue(item));
    }

    private static void List<T>(Utf8JsonWriter json, IReadOnlyList<T>? items, Action<T, Utf8JsonWriter> write)
    {
        if (items is null)
        {
            json.WriteNullValue();
            return;
        }

        json.WriteStartArray();
        foreach (T item in items)
            write(item, json);

        json.WriteEndArray();
    }

    private static void Object(Utf8JsonWriter json, IEnumerable<KeyValuePair<string, double>> entries)
    {
        json.WriteStartObject();
        foreach ((string name, double value) in entries)
        {
            json.WritePropertyName(name);
            Number(json, value);
        }

        json.WriteEndObject();
    }

    private static void Init(Utf8JsonWriter json, string init)
    {
        if (init is LoraConfig.DefaultInit or LoraConfig.RandomInit)
            json.WriteBooleanValue(init == LoraConfig.DefaultInit);
        else
            json.WriteStringValue(init);
    }

    /// <summary>A whole number without a point where it is one: PEFT's alphas are integers.</summary>
    private static void Number(Utf8JsonWriter json, double value)
    {
        if (value == Math.Floor(value) && Math.Abs(value) < 1e15)
            json.WriteNumberValue((long)value);
        else
            json.WriteNumberValue(value);
    }

    /// <summary>A float as Python prints it: always with a point or an exponent.</summary>
    private static void Float(Utf8JsonWriter json, double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        json.WriteRawValue(text.AsSpan().IndexOfAny(".eE") < 0 ? text + ".0" : text);
    }
}
