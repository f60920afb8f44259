using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Shared.Peft;
using Federated.Shared.Tensors;

namespace Federated.Client.Tests.Adapters;

public sealed class WeightedCombinationTests
{
    [Theory]
    [InlineData("dare_linear")]
    [InlineData("dare_ties")]
    [InlineData("dare_linear_svd")]
    [InlineData("dare_ties_svd")]
    public void Combine_Dare_FollowsItsSeed(string type)
    {
        WeightedAdapter[] adapters = [Adapter(1, 2), Adapter(2, 2)];
        NamedTensors Combined(ulong seed) => WeightedCombination.Combine(adapters, new(type) { Density = 0.5, Seed = seed }).Tensors;
        Assert.True(Combined(1).ContentEquals(Combined(1)));
        Assert.False(Combined(1).ContentEquals(Combined(2)));
    }

    [Fact]
    public void Combine_DareThatKeepsAll_IsLinear()
    {
        WeightedAdapter[] adapters = [Adapter(1, 2), Adapter(2, 2)];
        Assert.True(WeightedCombination.Combine(adapters, new("linear")).Tensors.ContentEquals(WeightedCombination.Combine(adapters, new("dare_linear")).Tensors));
    }

    [Theory]
    [InlineData("ties_svd")]
    [InlineData("magnitude_prune_svd")]
    [InlineData("svd")]
    [InlineData("cat")]
    public void Combine_DifferentRanks_WorksWhereChangesAreCombined(string type)
    {
        (LoraConfig config, NamedTensors tensors) = WeightedCombination.Combine([Adapter(1, 2), Adapter(2, 3)], new(type) { Density = 0.5 });
        Assert.Equal(type == "cat" ? 5 : 3, config.Rank);
        Assert.Equal(1, config.ScalingOf("q_proj"));
        AdapterFolder.Check(config, tensors, "combined");
    }

    [Theory]
    [InlineData("linear", 1.0, "ranks or layers differ")]
    [InlineData("average", 1.0, "'average'")]
    [InlineData("ties_svd", 1.5, "density is 1.5")]
    public void Combine_WhatDoesNotFit_IsRefused(string type, double density, string named)
    {
        PeftFormatException error = Assert.Throws<PeftFormatException>(() => WeightedCombination.Combine([Adapter(1, 2), Adapter(2, 3)], new(type) { Density = density }));
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    private static WeightedAdapter Adapter(ulong seed, int rank)
    {
        NamedTensors tensors = new();
        foreach ((string name, long[] shape) in new (string, long[])[] { (PeftNames.LoraA("q_proj"), [rank, 6]), (PeftNames.LoraB("q_proj"), [5, rank]) })
        {
            float[] values = new float[shape[0] * shape[1]];
            Weights.FillNormal(values, 1, new(seed));
            tensors.Add(name, shape, values);
        }

        return new(new() { Rank = rank, Alpha = 4, TargetModules = ModuleSelector.OfNames("q_proj") }, tensors, 0.5);
    }
}
