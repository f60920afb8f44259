using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>What stands on top of a backbone.</summary>
public enum ModelTask
{
    /// <summary>Next-token logits at every position (<c>...ForCausalLM</c>).</summary>
    CausalLanguageModel,

    /// <summary>Logits of the token at every position, of which some were masked (<c>...ForMaskedLM</c>).</summary>
    MaskedLanguageModel,

    /// <summary>One row of label logits a sequence (<c>...ForSequenceClassification</c>).</summary>
    SequenceClassification,

    /// <summary>One row of label logits an image (<c>...ForImageClassification</c>).</summary>
    ImageClassification,
}

/// <summary>What every architecture's <c>config.json</c> says; each architecture adds its own part.</summary>
public abstract record ModelConfig
{
    /// <summary>Hugging Face's <c>model_type</c>, the architecture's name.</summary>
    public abstract string ModelType { get; }

    /// <summary>Hugging Face's class name for this architecture under <see cref="Task"/>, as in <c>architectures</c>.</summary>
    public abstract string ClassName { get; }

    /// <summary>The head.</summary>
    public required ModelTask Task { get; init; }

    /// <summary>Width of the hidden states.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Standard deviation of freshly initialised weights.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Standard deviation of a freshly initialised matrix of the backbone, by its name in <c>model.safetensors</c>.</summary>
    internal virtual double InitialDeviation(string name) => InitializerRange;

    /// <summary>Names of the classes in the order of the logits; two unnamed ones where <c>config.json</c> has none, as in transformers.</summary>
    public IReadOnlyList<string> Labels { get; init; } = ["LABEL_0", "LABEL_1"];

    /// <summary>Whether the head has one output a label.</summary>
    public bool IsClassifier => Task is ModelTask.SequenceClassification or ModelTask.ImageClassification;

    /// <summary>How many numbers the backbone's parameters hold. Checked against a checkpoint before anything is allocated.</summary>
    public abstract long BackboneParameters { get; }

    /// <summary>Writes the architecture's own keys into <c>config.json</c>'s open object.</summary>
    protected abstract void WriteOwn(Utf8JsonWriter writer);

    /// <summary>Writes <c>config.json</c> as transformers reads it.</summary>
    public virtual void Write(Stream target, string dtype = "float32")
    {
        using Utf8JsonWriter writer = new(target, new JsonWriterOptions { Indented = true });
        writer.WriteStartObject();
        writer.WriteStartArray("architectures");
        writer.WriteStringValue(ClassName);
        writer.WriteEndArray();
        writer.WriteString("model_type", ModelType);
        writer.WriteNumber("initializer_range", InitializerRange);
        writer.WriteString("torch_dtype", dtype);
        if (IsClassifier)
            WriteLabels(writer);
        WriteOwn(writer);
        writer.WriteEndObject();
    }

    private void WriteLabels(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("id2label");
        for (int i = 0; i < Labels.Count; i++)
            writer.WriteString(FormattableString.Invariant($"{i}"), Labels[i]);
        writer.WriteEndObject();
        writer.WriteStartObject("label2id");
        for (int i = 0; i < Labels.Count; i++)
            writer.WriteNumber(Labels[i], i);
        writer.WriteEndObject();
    }
}
