using System.Collections.Frozen;
using Federated.Client.Models.Operators;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Client.Models;

/// <summary>The elementwise function between the two products of a feed-forward layer, by its Hugging Face name.</summary>
/// <remarks>GELU: Hendrycks and Gimpel 2016, arXiv:1606.08415, exactly or by their two approximations.</remarks>
public sealed class Activation
{
    private static readonly Func<Tensor, Tensor> Silu = static x => nn.functional.silu(x);

    private static readonly FrozenDictionary<string, Activation> Known = new Dictionary<string, Func<Tensor, Tensor>>(StringComparer.Ordinal)
    {
        ["gelu"] = Kernels.Gelu,
        ["gelu_python"] = Kernels.Gelu,
        ["gelu_new"] = Kernels.GeluByTanh,
        ["gelu_fast"] = Kernels.GeluByTanh,
        ["gelu_accurate"] = Kernels.GeluByTanh,
        ["gelu_pytorch_tanh"] = Kernels.GeluByTanh,
        ["quick_gelu"] = Kernels.GeluBySigmoid,
        ["relu"] = static x => nn.functional.relu(x),
        ["silu"] = Silu,
        ["swish"] = Silu,
        ["sigmoid"] = static x => nn.functional.sigmoid(x),
        ["tanh"] = static x => nn.functional.tanh(x),
    }.ToFrozenDictionary(entry => entry.Key, entry => new Activation(entry.Key, entry.Value), StringComparer.Ordinal);

    private readonly Func<Tensor, Tensor> _apply;

    private Activation(string name, Func<Tensor, Tensor> apply) => (Name, _apply) = (name, apply);

    /// <summary>The name as configurations have it.</summary>
    public string Name { get; }

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The function of a name.</summary>
    /// <exception cref="ArgumentException">None has this name.</exception>
    public static Activation Of(string name) =>
        Known.TryGetValue(name, out Activation? activation) ? activation : throw new ArgumentException($"No activation is named '{name}'; known: {string.Join(", ", Names)}.", nameof(name));

    /// <summary>The function that a configuration names; an unknown name is left as a problem in <paramref name="reader"/>.</summary>
    internal static Activation Read(ConfigReader reader, string key, string otherwise)
    {
        reader.Supports(key, [.. Names]);
        return Known.GetValueOrDefault(reader.Text(key) ?? otherwise, Known[otherwise]);
    }

    /// <summary>The function of each number, a new tensor in the caller's dispose scope.</summary>
    public Tensor Apply(Tensor input) => _apply(input);

    /// <summary>The function of each number of <paramref name="gate"/> times that of <paramref name="up"/>, a new tensor in the caller's dispose scope.</summary>
    public Tensor Gate(Tensor gate, Tensor up)
    {
        if (_apply == Silu)
            return Kernels.SwiGlu(gate, up);
        using DisposeScope scope = NewDisposeScope();
        return (_apply(gate) * up).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override string ToString() => Name;
}
