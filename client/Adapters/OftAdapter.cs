using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Orthogonal fine-tuning: the input is turned block by block, R = (I − Q)·(I + Q)⁻¹ with Q = T − Tᵀ, T upper triangular.</summary>
/// <remarks>
/// Sources: Qiu et al. 2023, arXiv:2306.07280; Qiu et al. 2025, arXiv:2506.19847 (rotating the input, the series in place of the inverse).
/// Layout as in PEFT since 0.14: oft_R (blocks, n·(n−1)/2) holds the triangles row by row, one row for all blocks when they share it.
/// In training the constrained form (coft) shortens the parameters themselves, as PEFT does; in evaluation it works on a copy.
/// </remarks>
public sealed class OftAdapter : RotationAdapter, IDisposable
{
    private readonly OftConfig _config;
    private readonly long _blockSize;
    private readonly Parameter _triangles;
    private readonly Tensor _places;

    /// <summary>Creates the adapter over its triangles.</summary>
    /// <param name="triangles">oft_R.</param>
    /// <param name="blockSize">How wide a block is.</param>
    /// <param name="config">The settings.</param>
    public OftAdapter(Parameter triangles, long blockSize, OftConfig config) =>
        (_triangles, _blockSize, _config, _places) = (triangles, blockSize, config, Places(blockSize));

    internal static AdapterParts Parts(PretrainedModel model, OftConfig config) => new()
    {
        Layers = [.. AdapterTargets.Linear(model, config, patches: false).Select(target => Layer(config, target.Name, target.Layer.Inputs))],
    };

    /// <summary>Fills the triangles with zeros, which turn nothing, or at random.</summary>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        _triangles.Floats().Clear();
        if (!_config.InitWeights)
            Weights.FillNormal(_triangles.Floats(), 0.1, random);
    }

    /// <summary>Frees the index of the triangles' places.</summary>
    public void Dispose() => _places.Dispose();

    /// <inheritdoc/>
    protected override Tensor Rotate(Tensor rows, bool training)
    {
        if (training && _config.Constrained)
        {
            using IDisposable _ = no_grad();
            _triangles.copy_(Shortened());
        }

        Tensor rotations = Rotations(_config.Constrained && !training ? Shortened() : _triangles);
        return BlockProduct(rows, training ? Cayley.Drop(rotations, _config.ModuleDropout) : rotations);
    }

    /// <inheritdoc/>
    protected override Tensor RotateBack(Tensor rows)
    {
        using DisposeScope scope = NewDisposeScope();
        return BlockProduct(rows, Rotations(_config.Constrained ? Shortened() : _triangles).transpose(1, 2)).MoveToOuterDisposeScope();
    }

    /// <summary>Rows times a block-diagonal matrix, (n, in) and (k, m, m) → (n, in); a single block serves all.</summary>
    internal static Tensor BlockProduct(Tensor rows, Tensor blocks)
    {
        long size = blocks.shape[^1];
        return blocks.shape[0] == 1
            ? rows.reshape(-1, size).mm(blocks[0]).view(rows.shape)
            : rows.reshape(rows.shape[0], -1, size).transpose(0, 1).bmm(blocks).transpose(0, 1).reshape(rows.shape);
    }

    private static AdapterLayer Layer(OftConfig config, string name, long inputs)
    {
        long size = BlockSize(inputs, config);
        TensorSpec triangles = new("oft_R.weight", [config.BlockShare ? 1 : inputs / size, size * (size - 1) / 2], FederationClass.NonLinear);
        return new(name, [triangles], values => new OftAdapter(values[0], size, config));
    }

    /// <summary>How wide blocks are: as the settings say, or the nearest width that divides the layer's, the lower of two equally near, as in PEFT.</summary>
    private static long BlockSize(long inputs, OftConfig config)
    {
        long wanted = Math.Min(inputs, config.BlockSize != 0 ? config.BlockSize : config.Blocks), lower = wanted, higher = wanted;
        while (inputs % lower != 0)
            lower--;
        while (inputs % higher != 0)
            higher++;
        long nearest = wanted - lower <= higher - wanted ? lower : higher;
        return config.BlockSize != 0 ? nearest : inputs / nearest;
    }

    /// <summary>For each entry of a block, which column of [0, triangle] is its number in T.</summary>
    private static Tensor Places(long size)
    {
        long[] places = new long[size * size];
        long next = 1;
        for (long row = 0; row < size; row++)
        {
            for (long column = row + 1; column < size; column++)
                places[(row * size) + column] = next++;
        }

        return tensor(places, [places.Length]).DetachFromDisposeScope();
    }

    private Tensor Skew(Tensor triangles)
    {
        Tensor upper = cat([zeros([triangles.shape[0], 1]), triangles], 1).index_select(1, _places).view(-1, _blockSize, _blockSize);
        return upper - upper.transpose(1, 2);
    }

    private Tensor Rotations(Tensor triangles) =>
        _config.UseNeumannSeries ? Cayley.Series(Skew(triangles), _config.NeumannTerms) : Cayley.Transform(Skew(triangles));

    /// <summary>The triangles with every Q held to the norm eps / sqrt(blocks); its norm is sqrt(2) times its triangle's.</summary>
    private Tensor Shortened()
    {
        double bound = _config.Epsilon / Math.Sqrt(_triangles.shape[0]);
        Tensor norms = _triangles.norm(1, keepdim: true) * Math.Sqrt(2);
        return where(norms.le(bound), _triangles, _triangles * (bound / norms.clamp(min: 1e-30)));
    }
}
