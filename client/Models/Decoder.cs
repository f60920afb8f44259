using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>What all decoders share: the way through the blocks, and the heads on top.</summary>
internal static class Decoder
{
    /// <summary>An architecture with a head for the next token and one for the whole text.</summary>
    /// <param name="name">Hugging Face's <c>model_type</c>.</param>
    /// <param name="backboneName">The name of the backbone in <c>model.safetensors</c>.</param>
    /// <param name="classes">The class names for the next token, for classification, and without a head.</param>
    /// <param name="read">Reads the configuration.</param>
    /// <param name="build">Makes the model.</param>
    /// <param name="headName">Name of the next token's head.</param>
    /// <param name="buffers">Ends of the names of stored tensors that are no parameters.</param>
    internal static Architecture Architecture<TConfig>(
        string name, string backboneName, (string Causal, string Classification, string Bare) classes, Func<ConfigReader, ModelTask, TConfig> read,
        Func<TConfig, PretrainedModel> build, string headName = LanguageModelHead.Name, params string[] buffers) where TConfig : TextModelConfig =>
        new(
            name,
            new Dictionary<string, ModelTask>(StringComparer.Ordinal)
            {
                [classes.Causal] = ModelTask.CausalLanguageModel, [classes.Classification] = ModelTask.SequenceClassification,
            },
            read, config => build((TConfig)config))
        {
            BackboneName = backboneName,
            BareClass = classes.Bare,
            // A tied head may be stored beside the table it equals.
            Ignorable = [.. buffers, headName + ".weight"],
            Heads = [headName, SequenceClassificationHead.Name],
        };

    /// <summary>A backbone under the head that its configuration names, with uninitialised weights.</summary>
    /// <param name="config">What the model is.</param>
    /// <param name="backboneName">The name of the backbone in <c>model.safetensors</c>.</param>
    /// <param name="backbone">The part below the head.</param>
    /// <param name="languageHead">Makes the head for the next token.</param>
    internal static PretrainedModel UnderHead(TextModelConfig config, string backboneName, IBackbone backbone, Func<IModelHead> languageHead) =>
        new(config, backboneName, backbone, config.Task == ModelTask.SequenceClassification
            ? SequenceClassificationHead.Create(config.HiddenSize, config.Labels.Count, config.PadTokenId)
            : languageHead());

    /// <summary>Takes embedded tokens through all blocks and the last norm; returns the states that <paramref name="options"/> want.</summary>
    /// <param name="embedded">(n, hidden); freed on the way.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="layoutOf">The layout of each block.</param>
    /// <param name="norm">The last norm.</param>
    /// <param name="options">What the pass is asked for.</param>
    internal static Tensor Run<TBlock>(
        Tensor embedded, ModuleList<TBlock> blocks, Func<int, AttentionLayout> layoutOf, nn.Module<Tensor, Tensor> norm, ForwardOptions options)
        where TBlock : nn.Module<Tensor, AttentionLayout, Tensor>
    {
        using DisposeScope scope = NewDisposeScope();
        ForwardTrace? trace = options.Trace;
        Tensor? wanted = options.Positions is { } positions ? tensor(positions, [positions.Length]) : null;
        Tensor hidden = embedded;
        for (int i = 0; i < blocks.Count; i++)
        {
            trace?.AddHidden(hidden);
            AttentionLayout layout = layoutOf(i);
            // A position of the last block feeds no other; those nobody asked for end at its attention. A trace shows them all.
            if (i == blocks.Count - 1 && wanted is not null && trace is null)
                layout = layout.Keeping(wanted);
            Tensor next = blocks[i].call(hidden, layout);
            hidden.Dispose();
            hidden = next;
        }

        Tensor normed = norm.call(hidden);
        trace?.AddHidden(normed);
        return (wanted is not null && trace is not null ? normed.index_select(0, wanted) : normed).MoveToOuterDisposeScope();
    }
}
