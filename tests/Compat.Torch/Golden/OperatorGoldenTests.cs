using System.Text.Json;
using TorchSharp;
using static TorchSharp.torch;

namespace Federated.Compat.Torch.Tests;

/// <summary>Operators and their gradients against Python's torch, number by number.</summary>
public class OperatorGoldenTests
{
    // The same library computes both sides; sums may differ in the last digits between machines.
    private const double Tolerance = 2e-6;

    // Libtorch 2 rounds a product of bfloat16 differently: by one unit of its eighth binary digit.
    private const double BFloat16Tolerance = 1.0 / 128;

    private static readonly Dictionary<string, JsonElement> Cases = GoldenData.Load("operators.json").GetProperty("cases").EnumerateArray()
#if OFFICIAL_PACKAGES
        // That operator is inside of its module there, which keeps a table of its own.
        .Where(entry => entry.GetProperty("name").GetString() != "embedding")
#endif
        .ToDictionary(entry => entry.GetProperty("name").GetString()!, StringComparer.Ordinal);

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Fact]
    public void Cases_GoldenAndManaged_AreTheSameSet() =>
        Assert.Equal(Cases.Keys.Order(StringComparer.Ordinal), OperatorCases.All.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Names))]
    public void Operator_SameInputs_MatchesPython(string name)
    {
        using DisposeScope scope = NewDisposeScope();
        JsonElement entry = Cases[name];
        Dictionary<string, Tensor> inputs = entry.GetProperty("inputs").EnumerateObject()
            .ToDictionary(input => input.Name, input => GoldenData.Tensor(input.Value), StringComparer.Ordinal);
        bool differentiable = entry.TryGetProperty("gradients", out JsonElement gradients);
        if (differentiable)
            foreach (Tensor input in inputs.Values.Where(t => t.is_floating_point())) input.requires_grad = true;

        Tensor[] results = OperatorCases.All[name](new(inputs));

        JsonElement[] expected = [.. entry.GetProperty("results").EnumerateArray()];
        Assert.Equal(expected.Length, results.Length);
        for (int i = 0; i < expected.Length; i++)
            GoldenData.Equal(expected[i], results[i], $"{name} result {i}", name == "bfloat16_matmul" ? BFloat16Tolerance : Tolerance);
        if (!differentiable) return;

        Tensor weights = arange(results[0].numel(), dtype: results[0].dtype).cos().view(results[0].shape);
        (results[0] * weights).sum().backward();
        foreach (JsonProperty gradient in gradients.EnumerateObject())
            GoldenData.Equal(gradient.Value, inputs[gradient.Name].grad!, $"{name} gradient of {gradient.Name}", Tolerance);
    }
}
