using System.Numerics;
using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Adapters;

/// <summary>What AdaLoRA does while it trains: keeps A and B orthogonal, scores the triplets, and shares a falling budget of ranks out among the layers.</summary>
/// <remarks>
/// Source: Zhang et al. 2023, arXiv:2303.10512, in the form of PEFT's RankAllocator. Up to the last but one step before the ranks are fixed,
/// each entry p with gradient g has a sensitivity |p·g|, smoothed by beta1, and an uncertainty, its smoothed distance from that, by beta2;
/// their product is the entry's score, a triplet's is that of E plus the means over A's row and B's column. The budget falls with the
/// third power of the time left. Where ranks are shared out, E of every triplet that scores no more than the k-th lowest is set to zero,
/// k being what the budget lacks; until the next time it may grow again. Deviation: the file is pruned once the ranks are fixed, while PEFT
/// prunes from the first sharing out and so loses what grew again.
/// </remarks>
internal sealed class AdaLoraTraining : IAdapterTraining
{
    internal const string NameOfA = "lora_A", NameOfB = "lora_B", NameOfE = "lora_E";

    private readonly AdaLoraConfig _config;
    private readonly Layer[] _layers;
    private readonly float[] _fixed = [0];

    internal AdaLoraTraining(AdaLoraConfig config, IEnumerable<(string Module, AdaLoraAdapter Adapter)> layers) =>
        (_config, _layers) = (config, [.. layers.OrderBy(layer => layer.Module, StringComparer.Ordinal).Select(layer => new Layer(layer.Module, layer.Adapter))]);

    /// <summary>How many triplets all layers have together at the start.</summary>
    private int Start => _layers.Sum(layer => layer.Rank);

    /// <inheritdoc/>
    /// <remarks>Weight times the mean over all A and B of ‖A·Aᵀ − I‖ and ‖Bᵀ·B − I‖ (Frobenius).</remarks>
    public Tensor? Penalty()
    {
        _ = TotalSteps;
        if (_config.OrthogonalityWeight == 0 || Start == 0)
            return null;

        using DisposeScope scope = NewDisposeScope();
        Tensor[] norms = [.. _layers.Where(layer => layer.Rank > 0).SelectMany(layer => new[] { Distance(layer.A.Value, layer.A.Value.t()), Distance(layer.B.Value.t(), layer.B.Value) })];
        // A layer without triplets counts with a distance of zero.
        return (stack(norms).sum() * (_config.OrthogonalityWeight / (2 * _layers.Length))).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public void AfterStep(long step, double gradientScale)
    {
        long end = TotalSteps - _config.FinalSteps;
        if (step < end)
        {
            foreach (Factor factor in _layers.SelectMany(layer => layer.Factors))
                factor.Score(_config.Beta1, _config.Beta2, gradientScale);
        }

        if (step > end)
            Array.ForEach(_layers, layer => layer.Mask());
        else if (step == end || (step > _config.InitialSteps && step % _config.Interval == 0))
            ShareOut(Budget(step));

        if (step != end)
            return;

        _fixed[0] = 1;
        foreach (Factor factor in _layers.SelectMany(layer => layer.Factors))
            factor.Forget();
    }

    /// <inheritdoc/>
    public NamedTensors State()
    {
        NamedTensors state = new();
        state.Add("ranks_fixed", [1], _fixed);
        foreach (Layer layer in _layers)
        {
            state.Add($"kept.{layer.Module}", [layer.Rank], layer.Kept);
            foreach (Factor factor in layer.Factors)
            {
                string name = PeftNames.Whole(layer.Module, factor.Name);
                state.Add($"exp_avg_ipt.{name}", factor.Value.shape, factor.Sensitivity);
                state.Add($"exp_avg_unc.{name}", factor.Value.shape, factor.Uncertainty);
            }
        }

        return state;
    }

    /// <summary>How many triplets may be kept after a step, counted from 0.</summary>
    internal int Budget(long step)
    {
        int start = Start, target = _config.TargetRank * _layers.Length;
        long end = TotalSteps - _config.FinalSteps;
        if (step <= _config.InitialSteps)
            return start;
        if (step > end)
            return target;

        double left = 1 - ((step - _config.InitialSteps) / (double)(end - _config.InitialSteps));
        return (int)(((start - target) * (left * left * left)) + target);
    }

    /// <summary>The settings and tensors of the PEFT file: once the ranks are fixed, only the kept triplets.</summary>
    internal (PeftConfig Config, NamedTensors Tensors) Prune(NamedTensors tensors)
    {
        if (_fixed[0] == 0)
            return (_config, tensors);

        OrderedDictionary<string, IReadOnlyList<bool>> pattern = new(StringComparer.Ordinal);
        NamedTensors pruned = new();
        HashSet<string> cut = [];
        foreach (Layer layer in _layers)
        {
            pattern.Add(layer.Module, layer.Pattern(_config.KeptOf(layer.Module)));
            int[] kept = [.. Enumerable.Range(0, layer.Rank).Where(triplet => layer.Kept[triplet] != 0)];
            foreach (Factor factor in layer.Factors)
            {
                string name = PeftNames.Whole(layer.Module, factor.Name);
                cut.Add(name);
                factor.AddKept(pruned, name, tensors[name], kept);
            }
        }

        foreach (string name in tensors.Names.Where(name => !cut.Contains(name)))
            pruned.Add(name, tensors.Shape(name), tensors[name]);
        return (_config with { RankPattern = pattern }, pruned);
    }

    private int TotalSteps => _config.TotalSteps
        ?? throw new PeftFormatException("total_step is missing: AdaLoRA shares ranks out over all steps of training, and has to know how many there will be.");

    private static Tensor Distance(Tensor left, Tensor right) => (left.mm(right) - eye(left.shape[0])).norm();

    private void ShareOut(int budget)
    {
        double[] scores = [.. _layers.SelectMany(layer => layer.Scores())];
        int surplus = Start - budget;
        double threshold = surplus > 0 ? scores.Order().ElementAt(surplus - 1) : double.NegativeInfinity;
        int next = 0;
        foreach (Layer layer in _layers)
        {
            for (int triplet = 0; triplet < layer.Rank; triplet++)
                layer.Kept[triplet] = scores[next++] <= threshold ? 0 : 1;
            layer.Mask();
        }
    }

    /// <summary>One layer's triplets.</summary>
    private sealed class Layer
    {
        internal Layer(string module, AdaLoraAdapter adapter)
        {
            (Module, Rank, Kept) = (module, (int)adapter.E.shape[0], new float[adapter.E.shape[0]]);
            (A, B, E) = (new(NameOfA, adapter.A, 0), new(NameOfB, adapter.B, 1), new(NameOfE, adapter.E, 0));
            Array.Fill(Kept, 1);
        }

        internal string Module { get; }

        internal int Rank { get; }

        internal Factor A { get; }

        internal Factor B { get; }

        internal Factor E { get; }

        internal Factor[] Factors => [A, B, E];

        /// <summary>1 for each triplet that stays, 0 for the others; floats, since it is stored among tensors.</summary>
        internal float[] Kept { get; }

        internal void Mask()
        {
            Span<float> values = E.Value.Floats();
            for (int triplet = 0; triplet < values.Length; triplet++)
                values[triplet] = Kept[triplet] == 0 ? 0 : values[triplet];
        }

        internal IEnumerable<double> Scores()
        {
            (double[] a, double[] b, double[] e) = (A.MeanScores(), B.MeanScores(), E.MeanScores());
            return Enumerable.Range(0, Rank).Select(triplet => a[triplet] + b[triplet] + e[triplet]);
        }

        /// <summary>Which triplets of the start are kept, when some had been pruned before.</summary>
        internal bool[] Pattern(IReadOnlyList<bool>? before)
        {
            int next = 0;
            return [.. (before ?? Enumerable.Repeat(true, Rank)).Select(there => there && Kept[next++] != 0)];
        }
    }

    /// <summary>One of a layer's three factors, with the smoothed scores of its entries.</summary>
    /// <param name="name">Name within the layer.</param>
    /// <param name="value">The factor.</param>
    /// <param name="dimension">Which of its two dimensions counts triplets.</param>
    private sealed class Factor(string name, Parameter value, int dimension)
    {
        internal string Name => name;

        internal Parameter Value => value;

        internal float[] Sensitivity { get; } = new float[value.numel()];

        internal float[] Uncertainty { get; } = new float[value.numel()];

        internal void Score(double beta1, double beta2, double gradientScale)
        {
            if (value.grad is not { } grad)
                return;

            ReadOnlySpan<float> values = value.Floats(), gradient = grad.Floats();
            (float keep1, float new1, float keep2, float new2, float scale) = ((float)beta1, (float)(1 - beta1), (float)beta2, (float)(1 - beta2), (float)gradientScale);
            int i = 0;
            for (int width = Vector<float>.Count; i <= values.Length - width; i += width)
            {
                Vector<float> fresh = Vector.Abs(new Vector<float>(values[i..]) * new Vector<float>(gradient[i..]) * scale);
                Vector<float> sensitivity = (new Vector<float>(Sensitivity, i) * keep1) + (fresh * new1);
                sensitivity.CopyTo(Sensitivity, i);
                ((new Vector<float>(Uncertainty, i) * keep2) + (Vector.Abs(fresh - sensitivity) * new2)).CopyTo(Uncertainty, i);
            }

            for (; i < values.Length; i++)
            {
                float fresh = Math.Abs(values[i] * gradient[i] * scale);
                Sensitivity[i] = (keep1 * Sensitivity[i]) + (new1 * fresh);
                Uncertainty[i] = (keep2 * Uncertainty[i]) + (new2 * Math.Abs(fresh - Sensitivity[i]));
            }
        }

        internal void Forget()
        {
            Array.Clear(Sensitivity);
            Array.Clear(Uncertainty);
        }

        /// <summary>For each triplet the mean score of its entries.</summary>
        internal double[] MeanScores()
        {
            int rows = (int)value.shape[0], columns = (int)value.shape[1];
            double[] sums = new double[value.shape[dimension]];
            for (int row = 0, i = 0; row < rows; row++)
            {
                for (int column = 0; column < columns; column++, i++)
                    sums[dimension == 0 ? row : column] += (double)Sensitivity[i] * Uncertainty[i];
            }

            return [.. sums.Select(sum => sum / value.shape[1 - dimension])];
        }

        /// <summary>Adds the kept triplets' part of a copy of the factor.</summary>
        internal void AddKept(NamedTensors target, string fullName, float[] copy, int[] kept)
        {
            long[] shape = [.. value.shape];
            int columns = (int)shape[1];
            shape[dimension] = kept.Length;
            float[] part = dimension == 0
                ? [.. kept.SelectMany(row => copy.AsSpan(row * columns, columns).ToArray())]
                : [.. Enumerable.Range(0, (int)shape[0]).SelectMany(row => kept.Select(column => copy[(row * columns) + column]))];
            target.Add(fullName, shape, part);
        }
    }
}
