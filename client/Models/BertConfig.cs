using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Federated.Client.Models;

/// <summary>BERT's part of <c>config.json</c>, and RoBERTa's, which has the same keys.</summary>
public sealed record BertConfig : EncoderConfig
{
    /// <summary>The name in <c>model_type</c>.</summary>
    public const string Name = "bert";

    private static readonly EncoderKeys Keys = new(
        "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob");

    private readonly bool _isRoberta;

    /// <summary>A configuration made by hand.</summary>
    public BertConfig()
    {
    }

    [SetsRequiredMembers]
    private BertConfig(ConfigReader reader, ModelTask task, bool isRoberta) : base(reader, task, Keys, padTokenId: isRoberta ? 1 : 0)
    {
        _isRoberta = isRoberta;
        NormEpsilon = reader.Number("layer_norm_eps", 0, 1, 1e-12);
        TokenTypes = reader.WholeNumber("type_vocab_size", 1, ConfigBounds.MostTokenTypes, 2);
        ClassifierDropout = reader.Number("classifier_dropout", 0, 1, HiddenDropout);
        reader.Supports("position_embedding_type", "absolute");
        foreach (string key in (string[])["is_decoder", "add_cross_attention"])
        {
            if (reader.Flag(key, false))
                reader.Reject(key, "only the encoder is supported; set it to false");
        }

        if (isRoberta && MaxPositions < PadTokenId + 2)
            reader.Reject("max_position_embeddings", $"positions begin after the padding id ({PadTokenId}), so at least {PadTokenId + 2} are needed, got {MaxPositions}");
    }

    /// <inheritdoc/>
    public override string ModelType => _isRoberta ? Roberta.Name : Name;

    /// <inheritdoc/>
    public override string ClassName => $"{(_isRoberta ? "Roberta" : "Bert")}{(Task == ModelTask.MaskedLanguageModel ? "ForMaskedLM" : "ForSequenceClassification")}";

    /// <summary>Whether positions are counted from the padding id on, over the tokens that are no padding.</summary>
    internal bool CountsPositionsPastPadding => _isRoberta;

    /// <summary>Reads and checks the configuration; problems are left in <paramref name="reader"/>.</summary>
    internal static BertConfig Read(ConfigReader reader, ModelTask task) => new(reader, task, isRoberta: false);

    /// <summary>The same for RoBERTa, whose keys are the same.</summary>
    internal static BertConfig ReadRoberta(ConfigReader reader, ModelTask task) => new(reader, task, isRoberta: true);

    /// <inheritdoc/>
    protected override void WriteText(Utf8JsonWriter writer)
    {
        writer.WriteNumber(Keys.Hidden, HiddenSize);
        writer.WriteNumber("max_position_embeddings", MaxPositions);
        writer.WriteNumber(Keys.Layers, Layers);
        writer.WriteNumber(Keys.Heads, Heads);
        writer.WriteNumber(Keys.Intermediate, IntermediateSize);
        writer.WriteString(Keys.Activation, Activation.Name);
        writer.WriteNumber("layer_norm_eps", NormEpsilon);
        writer.WriteNumber("type_vocab_size", TokenTypes);
        writer.WriteString("position_embedding_type", "absolute");
        writer.WriteNumber(Keys.HiddenDropout, HiddenDropout);
        writer.WriteNumber(Keys.AttentionDropout, AttentionDropout);
        writer.WriteNumber("classifier_dropout", ClassifierDropout);
    }
}
