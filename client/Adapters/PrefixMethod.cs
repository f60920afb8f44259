using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Prefix tuning: trained keys and values of every layer that stand before those of each text.</summary>
/// <remarks>
/// Source: Li and Liang 2021, arXiv:2101.00190. As in Hugging Face PEFT a row is laid out as [layer, key|value, head, width], keys are taken
/// as they are whatever rotation the model has, and the network of prefix_projection, there only while a new adapter trains, is an
/// embedding, a linear layer, tanh and a linear layer.
/// </remarks>
internal static class PrefixMethod
{
    internal static AdapterParts Parts(PretrainedModel model, PrefixTuningConfig config, NamedTensors? stored)
    {
        (int layers, int heads, int width) = Shape(model, config);
        long dim = (long)heads * width, row = 2 * layers * dim;
        PromptRows rows = config.PrefixProjection && stored is null
            ? PromptRows.Encoded(config.VirtualTokens, [dim, config.EncoderHiddenSize ?? dim, row], "transform", hidden => hidden.tanh())
            : PromptRows.Trained(config.VirtualTokens, row, (values, random) => Weights.FillNormal(values.Floats(), 1, random));
        return rows.Parts(config with { TokenDim = (int)dim, AttentionHeads = heads, Layers = layers }, () =>
        {
            model.Prefix = new(config.VirtualTokens, layer =>
            {
                Tensor own = rows.Columns(2 * layer * dim, 2 * dim).view(config.VirtualTokens, 2, heads, width);
                return (own.select(1, 0), own.select(1, 1));
            });
            return new Placement(() => model.Prefix = null);
        });
    }

    private static (int Layers, int Heads, int Width) Shape(PretrainedModel model, PrefixTuningConfig config)
    {
        if (model.Prefix is not null)
            throw new PeftFormatException("A model has one prefix at a time; take the other one off first.");
        if (model.Config is not TextModelConfig { KeyValueShape: { } shape })
            throw new PeftFormatException($"A {model.Config.ClassName} is no decoder: no prefix can stand before what it attends to.");

        (string Name, int? Got, int Wanted)[] sizes =
        [
            ("num_layers", config.Layers, shape.Layers), ("num_attention_heads", config.AttentionHeads, shape.Heads), ("token_dim", config.TokenDim, shape.Heads * shape.Width),
        ];
        string[] wrong = [.. sizes.Where(size => size.Got is { } got && got != size.Wanted).Select(size => $"{size.Name} is {size.Got}, the keys of this {model.Config.ClassName} have {size.Wanted}")];
        return wrong.Length == 0 ? shape : throw new PeftFormatException($"The prefix does not fit: {string.Join("; ", wrong)}.");
    }
}
