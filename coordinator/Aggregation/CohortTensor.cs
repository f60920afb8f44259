using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>One tensor of the global adapter as every update of a round holds it.</summary>
internal sealed class CohortTensor
{
    private readonly AggregationRound _round;
    private readonly TensorInfo[] _infos;

    /// <summary>Finds the tensor in every update.</summary>
    /// <exception cref="AggregationException">An update lacks it, or holds numbers that are no floating-point numbers.</exception>
    public CohortTensor(AggregationRound round, TensorInfo global)
    {
        _round = round;
        Global = global;
        _infos = [.. round.Updates.Select(update => Find(update, global.Name))];
    }

    /// <summary>Its description in the global adapter.</summary>
    public TensorInfo Global { get; }

    /// <summary>Its shape in update <paramref name="k"/>.</summary>
    public IReadOnlyList<long> Shape(int k) => _infos[k].Shape;

    /// <summary>Checks that every update has the global shape.</summary>
    /// <exception cref="AggregationException">One has another.</exception>
    public CohortTensor RequireSameShape()
    {
        for (int k = 0; k < _infos.Length; k++)
        {
            if (!_infos[k].Shape.SequenceEqual(Global.Shape))
                throw WrongShape(k, $"({string.Join(", ", Global.Shape)})");
        }

        return this;
    }

    /// <summary>The error for a shape that does not fit.</summary>
    public AggregationException WrongShape(int k, string wanted) => new(
        $"Update of site '{_round.Updates[k].Site}': tensor '{Global.Name}' has shape ({string.Join(", ", _infos[k].Shape)}), "
        + $"{wanted} was expected. The site trains another adapter: compare its configuration with the round's plan.",
        _round.Updates[k].Site);

    /// <summary>Reads values of update <paramref name="k"/>.</summary>
    public void Read(int k, long first, Span<float> values) => _round.Updates[k].Tensors.ReadFloats(_infos[k], first, values);

    /// <summary>sum_k p_k x_k over a slice, summed in float64 in the order of the sites.</summary>
    /// <param name="first">Row-major index of the first value.</param>
    /// <param name="mean">Receives the mean.</param>
    /// <param name="values">As long as <paramref name="mean"/>; overwritten.</param>
    public void Mean(long first, Span<double> mean, Span<float> values)
    {
        for (int k = 0; k < _infos.Length; k++)
        {
            Read(k, first, values);

            // The first one is not added to zero: -0 stays -0, and a single update comes out bit for bit.
            if (k == 0)
                FoldKernels.Scale(values, _round.Weights[k], mean);
            else
                FoldKernels.AddScaled(values, _round.Weights[k], mean);
        }
    }

    /// <summary>Refuses a result that is not finite, and says whose update made it so.</summary>
    /// <param name="first">Row-major index of the first value of <paramref name="result"/>.</param>
    /// <param name="result">Values that are to be written.</param>
    /// <exception cref="AggregationException">One of them is NaN or infinite.</exception>
    public void RequireFinite(long first, ReadOnlySpan<float> result)
    {
        int bad = TensorScan.IndexOfNonFinite(result);
        if (bad < 0)
            return;

        for (int k = 0; k < _infos.Length; k++)
            RequireFiniteUpdate(k);

        throw new AggregationException(
            $"Tensor '{Global.Name}': the aggregate at element {first + bad} is {result[bad]}, beyond float32, although every update is finite. "
            + "Lower the plan's norm cap so that such large updates are refused.");
    }

    private void RequireFiniteUpdate(int k)
    {
        float[] block = new float[(int)Math.Min(_infos[k].ElementCount, WeightedMean.TileElements)];
        for (long first = 0; first < _infos[k].ElementCount; first += block.Length)
        {
            Span<float> values = block.AsSpan(0, (int)Math.Min(block.Length, _infos[k].ElementCount - first));
            Read(k, first, values);
            int bad = TensorScan.IndexOfNonFinite(values);
            if (bad >= 0)
            {
                throw new AggregationException(
                    $"Update of site '{_round.Updates[k].Site}': tensor '{Global.Name}' holds {values[bad]} at element {first + bad}; "
                    + "every value must be finite. Fold the round without this update.", _round.Updates[k].Site);
            }
        }
    }

    private static TensorInfo Find(AggregationUpdate update, string name)
    {
        if (!update.Tensors.TryGetInfo(name, out TensorInfo? info))
        {
            throw new AggregationException(
                $"Update of site '{update.Site}' lacks tensor '{name}' of the global adapter. "
                + "The site trains another adapter: compare its configuration with the round's plan.", update.Site);
        }

        return info.DType.IsFloat()
            ? info
            : throw new AggregationException(
                $"Update of site '{update.Site}': tensor '{name}' holds {info.DType.SafetensorsName()}, floating-point numbers were expected.", update.Site);
    }
}
