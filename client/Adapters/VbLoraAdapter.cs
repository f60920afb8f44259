using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>LoRA whose factors are put together from one bank of vectors: each piece of A and B is the mixture of k vectors by the softmax of their logits.</summary>
/// <remarks>
/// Source: Li et al. 2024, arXiv:2405.15179; layout and initial values as in PEFT: A's pieces lie side by side along the input, B's along
/// the output, W' = W + B·A. The bank, (vectors, length), is trained and belongs to all layers. By PEFT's defaults neither factor is zero,
/// so a fresh adapter changes the output a little.
/// </remarks>
public sealed class VbLoraAdapter : ILinearAdapter
{
    private readonly SharedTensors _bank;
    private readonly Parameter _logitsA, _logitsB;
    private readonly VbLoraConfig _config;

    private VbLoraAdapter(SharedTensors bank, IReadOnlyList<Parameter> logits, VbLoraConfig config) =>
        (_bank, _logitsA, _logitsB, _config) = (bank, logits[0], logits[1], config);

    internal static AdapterParts Parts(PretrainedModel model, VbLoraConfig config)
    {
        SharedTensors bank = new(
            [new("base_model.vblora_vector_bank", [config.Vectors, config.VectorLength], FederationClass.NonLinear)],
            (values, random) => Weights.FillUniform(values[0].Floats(), config.InitialBankBound, random));
        return new()
        {
            Shared = [bank],
            Layers = [.. AdapterTargets.Linear(model, config, patches: false).Select(target => Layer(bank, config, target.Name, target.Layer))],
        };
    }

    /// <inheritdoc/>
    public void Initialise(Tensor weight, SplitMix64 random)
    {
        Weights.FillNormal(_logitsA.Floats(), _config.InitialLogitsDeviation, random);
        Weights.FillNormal(_logitsB.Floats(), _config.InitialLogitsDeviation, random);
    }

    /// <inheritdoc/>
    public Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor a, Tensor b) = Factors();
        return Kernels.LoraLinear(input, target.Matrix, target.Bias, a, b, 1, target.training ? _config.Dropout : 0).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        (Tensor a, Tensor b) = Factors();
        return ((weight + b.mm(a)).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    private static AdapterLayer Layer(SharedTensors bank, VbLoraConfig config, string name, Projection layer)
    {
        int length = config.VectorLength;
        if (layer.Inputs % length != 0 || layer.Outputs % length != 0)
            throw new PeftFormatException($"vector_length is {length}, which does not divide both the {layer.Inputs} inputs and the {layer.Outputs} outputs of '{name}'.");

        TensorSpec[] logits =
        [
            new("vblora_logits_A", [config.Rank, layer.Inputs / length, config.Vectors], FederationClass.NonLinear),
            new("vblora_logits_B", [layer.Outputs / length, config.Rank, config.Vectors], FederationClass.NonLinear),
        ];
        return new(name, logits, values => new VbLoraAdapter(bank, values, config));
    }

    /// <summary>A (r, in) and B (out, r).</summary>
    private (Tensor A, Tensor B) Factors() =>
        (Pieces(_logitsA).reshape(_config.Rank, -1), Pieces(_logitsB).transpose(1, 2).reshape(-1, _config.Rank));

    /// <summary>The mixtures, (…, vectors) → (…, length).</summary>
    private Tensor Pieces(Tensor logits)
    {
        (Tensor best, Tensor chosen) = logits.topk(_config.TopK, dim: -1);
        Tensor vectors = _bank.Values[0].index_select(0, chosen.flatten()).view(-1, _config.TopK, _config.VectorLength);
        return best.softmax(-1).view(-1, 1, _config.TopK).bmm(vectors).view(logits.shape[0], logits.shape[1], _config.VectorLength);
    }
}
