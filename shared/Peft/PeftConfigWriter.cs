using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The text of <see cref="PeftConfig.ToJson"/>.</summary>
internal static class PeftConfigWriter
{
    private static readonly JsonWriterOptions Layout = new() { Indented = true, IndentSize = 2, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Fields that older versions of PEFT refuse: written only where they say something.</summary>
    private static readonly string[] Newer = ["exclude_modules"];

    internal static byte[] Write(PeftConfig config)
    {
        JsonObject fields = Fields(config);
        if (config.Origin is { } origin)
            fields = Merged(fields, origin, Fields(PeftConfigReader.Defaults(config.PeftType)));
        else
            Array.ForEach([.. Newer.Where(name => fields[name] is null)], name => fields.Remove(name));
        return Render(fields);
    }

    /// <summary>All fields by the settings alone, wherever they came from.</summary>
    internal static JsonObject Fields(PeftConfig config)
    {
        JsonObject fields = new()
        {
            ["auto_mapping"] = null,
            ["base_model_name_or_path"] = config.BaseModelNameOrPath,
            ["inference_mode"] = config.InferenceMode,
            ["peft_type"] = config.PeftType,
            ["revision"] = null,
            ["task_type"] = config.TaskType,
        };
        if (config.Common.HasFlag(CommonFields.ModulesToSave))
            fields["modules_to_save"] = PeftJson.Of(config.ModulesToSave);
        if (config.Common.HasFlag(CommonFields.Layers))
            (fields["layers_to_transform"], fields["layers_pattern"]) = (PeftJson.Of(config.LayersToTransform), PeftJson.Of(config.LayersPattern));
        if (config.Common.HasFlag(CommonFields.Targets))
            (fields["target_modules"], fields["exclude_modules"]) = (PeftJson.Of(config.TargetModules), PeftJson.Of(config.ExcludeModules));
        config.Write(fields);
        return fields;
    }

    // What did not change stands as it stood; what the file did not have and still has its default stays away.
    private static JsonObject Merged(JsonObject fields, PeftConfigOrigin origin, JsonObject defaults)
    {
        JsonObject merged = (JsonObject)origin.Given.DeepClone();
        foreach ((string name, JsonNode? value) in fields)
        {
            JsonNode? before = merged.ContainsKey(name) ? origin.Written[name] : defaults[name];
            if (!JsonNode.DeepEquals(value, before))
                merged[name] = value?.DeepClone();
        }

        return merged;
    }

    private static byte[] Render(JsonObject fields)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, Layout))
        {
            json.WriteStartObject();
            foreach ((string name, JsonNode? value) in fields.OrderBy(field => field.Key, StringComparer.Ordinal))
            {
                json.WritePropertyName(name);
                if (value is null)
                    json.WriteNullValue();
                else
                    value.WriteTo(json);
            }

            json.WriteEndObject();
        }

        return buffer.WrittenSpan.ToArray();
    }
}
