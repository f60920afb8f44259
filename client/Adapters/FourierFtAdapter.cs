using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Randomness;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>Fourier fine-tuning: W' = W + s·Re(ifft2(F)), F (out, in) zero but for n trained real entries at seeded places.</summary>
/// <remarks>
/// Source: Gao et al. 2024, arXiv:2405.03003; places as PEFT draws them, see <see cref="TorchPermutation"/>. The real part is the transform
/// of F's even part, (F(k, l) + F(−k, −l)) / 2, whose half spectrum a real transform takes: half the work, and no complex numbers.
/// All clients share the places, so the mean of spectra gives the mean of merged weights.
/// </remarks>
public sealed class FourierFtAdapter : WeightAdapter, IDisposable
{
    private readonly long _inputs, _outputs;
    private readonly FourierFtConfig _config;
    private readonly Parameter _spectrum;
    private readonly Tensor _places, _sources;

    /// <summary>Creates the adapter over its spectrum.</summary>
    /// <param name="spectrum">The n entries of F.</param>
    /// <param name="inputs">Width of the layer's input.</param>
    /// <param name="outputs">Width of the layer's output.</param>
    /// <param name="config">The settings.</param>
    public FourierFtAdapter(Parameter spectrum, long inputs, long outputs, FourierFtConfig config)
    {
        (_spectrum, _inputs, _outputs, _config) = (spectrum, inputs, outputs, config);
        (_places, _sources) = HalfSpectrum(TorchPermutation.First((ulong)config.LocationSeed, inputs * outputs, (int)spectrum.shape[0]));
    }

    internal static AdapterParts Parts(PretrainedModel model, FourierFtConfig config) => new()
    {
        Layers = [.. AdapterTargets.Linear(model, config, patches: false).Select(target => Layer(config, target.Name, target.Layer))],
    };

    /// <summary>Fills the spectrum with zeros or, by PEFT's default, from the normal distribution.</summary>
    public override void Initialise(Tensor weight, SplitMix64 random)
    {
        _spectrum.Floats().Clear();
        if (!_config.InitWeights)
            Weights.FillNormal(_spectrum.Floats(), 1, random);
    }

    /// <inheritdoc/>
    public override (Tensor Weight, Tensor? Bias) Merge(Tensor weight, Tensor? bias)
    {
        using DisposeScope scope = NewDisposeScope();
        Tensor half = zeros([_outputs * ((_inputs / 2) + 1)]).index_add(0, _places, _spectrum.index_select(0, _sources) * (_config.Scaling / 2), 1);
        Tensor change = fft.irfft2(half.view(_outputs, (_inputs / 2) + 1), [_outputs, _inputs]);
        return ((weight + change).MoveToOuterDisposeScope(), bias?.alias().MoveToOuterDisposeScope());
    }

    /// <summary>Frees the index of the places.</summary>
    public void Dispose()
    {
        _places.Dispose();
        _sources.Dispose();
    }

    private static AdapterLayer Layer(FourierFtConfig config, string name, Projection layer)
    {
        int frequencies = config.FrequenciesOf(name);
        return frequencies > layer.Inputs * layer.Outputs
            ? throw new PeftFormatException($"n_frequency is {frequencies}, but '{name}' ({layer.Outputs}, {layer.Inputs}) has only {layer.Inputs * layer.Outputs}.")
            : new(name, [new("fourierft_spectrum", [frequencies], FederationClass.Exact)], values => new FourierFtAdapter(values[0], layer.Inputs, layer.Outputs, config));
    }

    /// <summary>Where the half spectrum takes which frequency: each stands at its place and, reflected, at the opposite one.</summary>
    private (Tensor Places, Tensor Sources) HalfSpectrum(long[] locations)
    {
        List<long> places = [], sources = [];
        long width = (_inputs / 2) + 1;
        for (int i = 0; i < locations.Length; i++)
        {
            (long row, long column) = Math.DivRem(locations[i], _inputs);
            foreach ((long k, long l) in ((long, long)[])[(row, column), ((_outputs - row) % _outputs, (_inputs - column) % _inputs)])
            {
                if (l >= width)
                    continue;
                places.Add((k * width) + l);
                sources.Add(i);
            }
        }

        return (tensor(places.ToArray(), [places.Count]).DetachFromDisposeScope(), tensor(sources.ToArray(), [sources.Count]).DetachFromDisposeScope());
    }
}
