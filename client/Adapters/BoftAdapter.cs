using Federated.Client.Models;
using Federated.Client.Models.Operators;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Butterfly orthogonal fine-tuning: y = s ∘ ((x·M)·Wᵀ) + b, M = M_f···M_1 with M_i = P_i·blockdiag(R_i)·P_iᵀ.</summary>
/// <remarks>
/// Source: Liu et al. 2023, arXiv:2311.06243, and PEFT's layer. Each block of R_i (boft_R, (factors, blocks, n, n)) is the Cayley transform of
/// the skew-symmetric half of what is stored, s is boft_s (out, 1). P_1 is the identity; P_i sorts the half blocks within each stretch of
/// 2^(i−1) blocks, even ones first, so that distant inputs meet.
/// </remarks>
public sealed class BoftAdapter : RotationAdapter, IDisposable
{
    private const string RotationsName = "boft_R";
    private readonly BoftConfig _config;
    private readonly long _factors, _blocks, _blockSize;
    private readonly Parameter _halves, _scale;
    private readonly (Tensor Sort, Tensor Unsort)?[] _orders;

    /// <summary>Creates the adapter over its tensors.</summary>
    /// <param name="halves">boft_R, (factors, blocks, n, n).</param>
    /// <param name="scale">boft_s, (out, 1).</param>
    /// <param name="config">The settings.</param>
    public BoftAdapter(Parameter halves, Parameter scale, BoftConfig config)
    {
        (_halves, _scale, _config) = (halves, scale, config);
        (_factors, _blocks, _blockSize) = (halves.shape[0], halves.shape[1], halves.shape[2]);
        _orders = [.. Enumerable.Range(0, (int)_factors).Select(factor => factor == 0 ? ((Tensor, Tensor)?)null : Order(_blocks * _blockSize, _blocks >> factor, _blockSize / 2))];
    }

    internal static AdapterParts Parts(PretrainedModel model, BoftConfig config, NamedTensors? stored)
    {
        IReadOnlyList<(string Name, Projection Layer)> targets = AdapterTargets.Linear(model, config, patches: false);
        // PEFT without its CUDA extension ignores the settings and makes one factor; then the file says so.
        string first = PeftNames.Whole(targets[0].Name, RotationsName);
        int factors = stored is not null && stored.Contains(first) && stored.Shape(first) is [1, ..] ? 1 : config.Factors;
        return new() { Layers = [.. targets.Select(target => Layer(config, factors, target.Name, target.Layer))] };
    }

    /// <summary>Starts without rotation and with a scale of one, or at random about them.</summary>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        _halves.Floats().Clear();
        _scale.Floats().Fill(1);
        if (_config.InitWeights)
            return;

        Weights.FillNormal(_halves.Floats(), 0.1, random);
        Weights.FillNormal(_scale.Floats(), 0.1, random);
        foreach (ref float value in _scale.Floats())
            value += 1;
    }

    /// <inheritdoc/>
    public override Tensor Forward(Tensor input, Projection target)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor output = Kernels.Linear(Rotate(input, target.training), target.Matrix, null) * _scale.view(-1);
        return (target.Bias is { } bias ? output + bias : output).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        return ((RotateBack(weight) * _scale).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    protected override Tensor Rotate(Tensor rows, bool training)
    {
        Tensor rotations = Rotations(training ? _config.Dropout : 0);
        for (int factor = _orders.Length - 1; factor >= 0; factor--)
            rows = Turn(rows, rotations[factor], _orders[factor]);
        return rows;
    }

    /// <inheritdoc/>
    protected override Tensor RotateBack(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor rotations = Rotations(0).transpose(2, 3);
        for (int factor = 0; factor < _orders.Length; factor++)
            rows = Turn(rows, rotations[factor], _orders[factor]);
        return rows.MoveToOuterDisposeScope();
    }

    /// <summary>Frees the permutations.</summary>
    public void Dispose()
    {
        foreach ((Tensor sort, Tensor unsort) in _orders.OfType<(Tensor, Tensor)>())
        {
            sort.Dispose();
            unsort.Dispose();
        }
    }

    private static AdapterLayer Layer(BoftConfig config, int factors, string name, Projection layer)
    {
        long given = config.BlockSize != 0 ? config.BlockSize : config.Blocks;
        if (layer.Inputs % given != 0)
            throw new PeftFormatException($"'{name}' has {layer.Inputs} inputs, which {(config.BlockSize != 0 ? "boft_block_size" : "boft_block_num")} {given} does not divide.");

        long other = layer.Inputs / given, multiple = 1L << (factors - 1);
        (long blocks, long size) = config.BlockSize != 0 ? (other, given) : (given, other);
        if (factors > 1 && (blocks % multiple != 0 || size % 2 != 0))
            throw new PeftFormatException($"'{name}' has {blocks} blocks of width {size}; boft_n_butterfly_factor {factors} needs an even width, and a multiple of {multiple} blocks.");

        TensorSpec[] tensors = [new(RotationsName, [factors, blocks, size, size], FederationClass.NonLinear), new("boft_s", [layer.Outputs, 1], FederationClass.NonLinear)];
        return new(name, tensors, values => new BoftAdapter(values[0], values[1], config));
    }

    /// <summary>x·P·D·Pᵀ, where row i of P has its one in column sort[i].</summary>
    private static Tensor Turn(Tensor rows, Tensor blocks, (Tensor Sort, Tensor Unsort)? order) => order is var (sort, unsort)
        ? OftAdapter.BlockProduct(rows.index_select(1, unsort), blocks).index_select(1, sort)
        : OftAdapter.BlockProduct(rows, blocks);

    private static (Tensor Sort, Tensor Unsort) Order(long inputs, long stretches, long half)
    {
        long width = inputs / stretches, halves = width / half, evens = (halves + 1) / 2;
        long[] sort = new long[inputs], unsort = new long[inputs];
        for (long i = 0; i < inputs; i++)
        {
            long start = i / width * width, place = (i - start) / half, from = place < evens ? 2 * place : (2 * (place - evens)) + 1;
            sort[i] = start + (from * half) + (i % half);
            unsort[sort[i]] = i;
        }

        return (tensor(sort, [inputs]).DetachFromDisposeScope(), tensor(unsort, [inputs]).DetachFromDisposeScope());
    }

    private Tensor Rotations(double dropout)
    {
        Tensor halves = _halves.view(-1, _blockSize, _blockSize);
        Tensor rotations = Cayley.Transform((halves - halves.transpose(1, 2)) * 0.5).view(_factors, _blocks, _blockSize, _blockSize);
        if (dropout == 0)
            return rotations;

        // Only one of the factors, drawn anew, loses blocks.
        long chosen = randperm(_factors)[0].item<long>();
        return stack([.. Enumerable.Range(0, (int)_factors).Select(factor => factor == chosen ? Cayley.Drop(rotations[factor], dropout) : rotations[factor])]);
    }
}
