using TorchSharp.Modules;

namespace Federated.Client.Adapters;

/// <summary>A trained tensor of an adapter.</summary>
/// <param name="Name">In an adapter: relative to its module, such as <c>lora_A.weight</c>. In an adapted model: the full name in the PEFT file.</param>
/// <param name="Value">Float32 on the CPU.</param>
/// <param name="Federation">What its mean over clients means.</param>
public sealed record AdapterTensor(string Name, Parameter Value, FederationClass Federation);
