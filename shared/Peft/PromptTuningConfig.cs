using System.Text.Json;
using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>How the vectors of a prompt start.</summary>
public enum PromptStart
{
    /// <summary>Normal.</summary>
    Random,

    /// <summary>As the token vectors of a text, repeated or cut to length.</summary>
    Text,

    /// <summary>As the vectors of tokens drawn from the vocabulary.</summary>
    SampleVocabulary,
}

/// <summary>The settings of prompt tuning: vectors that stand before the token vectors of each text.</summary>
public sealed record PromptTuningConfig : PromptLearningConfig
{
    /// <summary>PEFT's name.</summary>
    public const string Kind = "PROMPT_TUNING";

    /// <inheritdoc/>
    public override string PeftType => Kind;

    /// <summary>How the vectors start.</summary>
    public PromptStart Start { get; init; }

    /// <summary>The text of <see cref="PromptStart.Text"/>.</summary>
    public string? StartText { get; init; }

    /// <summary>The folder of the tokenizer for <see cref="StartText"/>.</summary>
    public string? Tokenizer { get; init; }

    internal static PeftConfig Read(JsonFields fields)
    {
        fields.Ignore("tokenizer_kwargs", value => value.ValueKind == JsonValueKind.Object);
        return Read(fields, new PromptTuningConfig
        {
            Start = fields.Choice("prompt_tuning_init", PromptStart.Random, ("RANDOM", PromptStart.Random), ("TEXT", PromptStart.Text), ("SAMPLE_VOCAB", PromptStart.SampleVocabulary)),
            StartText = fields.Text("prompt_tuning_init_text"),
            Tokenizer = fields.Text("tokenizer_name_or_path"),
        });
    }

    internal override void Write(JsonObject json)
    {
        base.Write(json);
        json["prompt_tuning_init"] = Start switch { PromptStart.Text => "TEXT", PromptStart.SampleVocabulary => "SAMPLE_VOCAB", _ => "RANDOM" };
        json["prompt_tuning_init_text"] = StartText;
        json["tokenizer_name_or_path"] = Tokenizer;
        json["tokenizer_kwargs"] = null;
    }
}
