using Federated.Shared.Protocol;
using Federated.Shared.Tensors;

namespace Federated.Client.Agent;

/// <summary>Holds the adapter a plan describes against the global adapter it sends, before either takes memory.</summary>
public static class AdapterFit
{
    /// <summary>Bytes a trained number takes: its value, its gradient and two moments of AdamW, float32 each.</summary>
    private const long BytesPerNumber = 16;

    /// <summary>Checks rank and size.</summary>
    /// <param name="adapter">What the plan says.</param>
    /// <param name="path">The global adapter (safetensors); only its header is read.</param>
    /// <exception cref="FederatedException">The factors have another rank, or training them needs more memory than this machine has.</exception>
    /// <exception cref="TensorFormatException">The header is malformed.</exception>
    public static void Check(AdapterPlan adapter, string path)
    {
        ArgumentNullException.ThrowIfNull(adapter);
        using SafetensorsFile file = SafetensorsFile.Open(path);
        TensorInfo? other = file.Tensors.FirstOrDefault(tensor => tensor.Name.Contains(".lora_A.", StringComparison.Ordinal) && tensor.Shape[0] != adapter.Rank);
        if (other is not null)
            throw new FederatedException(RejectReason.BadShape, $"adapter.rank is {adapter.Rank}, but the global adapter has factors of rank {other.Shape[0]}.");

        long needed = file.Tensors.Sum(tensor => tensor.Shape.Aggregate(1L, (product, size) => product * size)) * BytesPerNumber;
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        if (needed > available)
            throw new FederatedException(RejectReason.MessageTooLarge, $"Training the adapter needs {needed:N0} bytes of memory; the agent's machine has {available:N0}. Lower adapter.rank or name fewer target_modules.");
    }
}
