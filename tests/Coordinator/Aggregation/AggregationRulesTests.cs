using Federated.Coordinator.Aggregation;

namespace Federated.Coordinator.Tests.Aggregation;

public class AggregationRulesTests
{
    [Fact]
    public void Constructor_NameTwice_IsRefused()
    {
        ArgumentException error = Assert.Throws<ArgumentException>(() => new AggregationRules(
        [
            new(AggregationRules.FedIt, static _ => new FedIt()),
            new(AggregationRules.FedIt, static _ => new FedIt()),
        ]));
        Assert.Contains(AggregationRules.FedIt, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Create_UnknownRule_ListsTheKnownOnes()
    {
        List<string> errors = [];
        Assert.Null(AggregationRules.Default.Create("method", "lora-fare", new Dictionary<string, string>(), errors));
        string error = Assert.Single(errors);
        Assert.Contains("lora-fare", error, StringComparison.Ordinal);
        Assert.All(AggregationRules.Default.Names, name => Assert.Contains(name, error, StringComparison.Ordinal));
    }

    [Fact]
    public void Create_SeveralWrongOptions_ReportsAllOfThem()
    {
        List<string> errors = [];
        Assert.Null(AggregationRules.Default.Create(
            "method", AggregationRules.LoraFair, new Dictionary<string, string> { ["lambda"] = "-1", ["norms"] = "maybe", ["lamda"] = "0.1" }, errors));
        Assert.Collection(
            errors,
            e => Assert.StartsWith("method.lambda is '-1'", e, StringComparison.Ordinal),
            e => Assert.StartsWith("method.norms is 'maybe'", e, StringComparison.Ordinal),
            e => Assert.StartsWith("method.lamda is no option of 'lora-fair'", e, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("nan")]
    [InlineData("Infinity")]
    [InlineData("1e13")]
    [InlineData("")]
    [InlineData("0,03")]
    public void Create_LambdaOutOfRange_IsRefused(string lambda)
    {
        List<string> errors = [];
        Assert.Null(AggregationRules.Default.Create("method", AggregationRules.LoraFair, new Dictionary<string, string> { ["lambda"] = lambda }, errors));
        Assert.Single(errors);
    }

    [Fact]
    public void Create_OptionForARuleWithoutOptions_IsRefused()
    {
        List<string> errors = [];
        Assert.Null(AggregationRules.Default.Create("method", AggregationRules.FedIt, new Dictionary<string, string> { ["lambda"] = "1" }, errors));
        Assert.Contains("no options", Assert.Single(errors), StringComparison.Ordinal);
    }
}
