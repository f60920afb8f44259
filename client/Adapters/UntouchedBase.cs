using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Client.Adapters;

/// <summary>Turns a LoRA adapter that sits on the rest of a weight into a plain one of twice the rank for the weight itself.</summary>
/// <remarks>
/// W − s·B0·A0 + s·B·A = W + s·[B, −B0]·[A; A0]; s stays what it is when alpha grows with the rank, or with its root under rsLoRA.
/// The same as PEFT's <c>path_initial_model_for_weight_conversion</c>.
/// </remarks>
internal static class UntouchedBase
{
    /// <summary>Settings and tensors of the plain adapter.</summary>
    /// <param name="config">The settings.</param>
    /// <param name="tensors">The adapter's tensors, as stored.</param>
    /// <param name="starts">Each layer with what its factors started from.</param>
    internal static (PeftConfig Config, NamedTensors Tensors) Convert(LoraConfig config, NamedTensors tensors, IReadOnlyDictionary<string, ResidualAdapter> starts)
    {
        NamedTensors plain = new();
        foreach (string name in tensors.Names)
        {
            PeftTensorName parts = PeftNames.Parse(name);
            if (!starts.TryGetValue(parts.Module, out ResidualAdapter? start) || parts.Part is not (PeftPart.LoraA or PeftPart.LoraB))
                plain.Add(name, tensors.Shape(name), tensors[name]);
            else if (parts.Part == PeftPart.LoraA)
                plain.Add(name, [2 * tensors.Shape(name)[0], .. tensors.Shape(name).Skip(1)], [.. tensors[name], .. start.StartA]);
            else
                plain.Add(name, [tensors.Shape(name)[0], 2 * tensors.Shape(name)[1], .. tensors.Shape(name).Skip(2)], Beside(tensors[name], start.StartB, (int)tensors.Shape(name)[1]));
        }

        double alpha = config.UseRsLora ? Math.Sqrt(2) : 2;
        LoraConfig doubled = config with
        {
            Rank = 2 * config.Rank,
            Alpha = alpha * config.Alpha,
            RankPattern = [.. config.RankPattern.Select(entry => KeyValuePair.Create(entry.Key, 2 * entry.Value))],
            AlphaPattern = [.. config.AlphaPattern.Select(entry => KeyValuePair.Create(entry.Key, alpha * entry.Value))],
            InitLoraWeights = LoraConfig.DefaultInit,
        };
        return (doubled, plain);
    }

    /// <summary>Rows of [B, −B0].</summary>
    private static float[] Beside(float[] b, float[] start, int rank)
    {
        float[] both = new float[2 * b.Length];
        for (int row = 0, to = 0; row < b.Length; row += rank)
        {
            for (int i = 0; i < rank; i++)
                (both[to + i], both[to + rank + i]) = (b[row + i], -start[row + i]);
            to += 2 * rank;
        }

        return both;
    }
}
