using TorchSharp.Modules;

namespace Federated.Client.Adapters;

/// <summary>A tensor that an adapter is going to have: it is known, and held against a file, before memory is taken for it.</summary>
/// <param name="Name">Of a layer's tensor relative to the layer, such as <c>lora_A.weight</c>; of any other the full name in the PEFT file.</param>
/// <param name="Shape">Sizes, as in the file.</param>
/// <param name="Federation">What its mean over clients means.</param>
public sealed record TensorSpec(string Name, long[] Shape, FederationClass Federation)
{
    /// <summary>Whether it trains.</summary>
    public bool Trains { get; init; } = true;

    /// <summary>Whether it is in the PEFT file.</summary>
    public bool Stored { get; init; } = true;
}

/// <summary>A tensor of an adapter.</summary>
/// <param name="Name">The full name in the PEFT file.</param>
/// <param name="Value">Float32 on the CPU.</param>
/// <param name="Federation">What its mean over clients means.</param>
/// <param name="Trains">Whether it trains.</param>
/// <param name="Stored">Whether it is in the PEFT file.</param>
public sealed record AdapterTensor(string Name, Parameter Value, FederationClass Federation, bool Trains = true, bool Stored = true);
