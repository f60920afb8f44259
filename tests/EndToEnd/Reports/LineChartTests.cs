using System.Xml.Linq;
using Federated.Simulations.Reports;

namespace Federated.EndToEnd.Tests.Reports;

public sealed class LineChartTests
{
    private const string Hostile = "<script>alert('&\"')</script>";

    [Fact]
    public void Draw_HostileNames_AreTextAndNothingElse()
    {
        XElement svg = Draw(Hostile, Hostile, new Series(Hostile, [(1, 2), (2, 3)]));

        Assert.Empty(svg.Descendants("script"));
        Assert.Equal(Hostile, svg.Attribute("aria-label")!.Value);
        Assert.Equal(3, svg.Descendants("text").Count(text => text.Value == Hostile));
    }

    [Fact]
    public void Draw_OnePoint_StandsInTheMiddle()
    {
        XElement circle = Assert.Single(Draw("one", "x", new Series("a", [(5, 10)])).Descendants("circle"));

        // The plot reaches from 56 to 490 and from 34 to 276.
        Assert.Equal("273", circle.Attribute("cx")!.Value);
        Assert.Equal("155", circle.Attribute("cy")!.Value);
    }

    [Theory]
    [InlineData(48.7, 92.9, "40|60|80|100")]
    [InlineData(0.02, 0.413, "0.0|0.1|0.2|0.3|0.4|0.5")]
    [InlineData(-1.5, 2, "-2|-1|0|1|2")]
    [InlineData(1000, 1004, "1000|1001|1002|1003|1004")]
    public void Draw_AnyValues_HasRoundTicksAroundThem(double low, double high, string ticks) => Assert.Equal(
        ticks,
        string.Join('|', Draw("ticks", "x", new Series("a", [(1, low), (2, high)])).Descendants("text").Where(text => text.Attribute("text-anchor")?.Value == "end").Select(text => text.Value)));

    [Fact]
    public void Draw_EqualValues_LieOnOneLine()
    {
        XElement svg = Draw("equal", "x", new Series("a", [(1, 0), (2, 0), (3, 0)]));

        Assert.Equal(["155", "155", "155"], svg.Descendants("circle").Select(circle => circle.Attribute("cy")!.Value));
        Assert.Equal(["56", "273", "490"], svg.Descendants("circle").Select(circle => circle.Attribute("cx")!.Value));
    }

    [Fact]
    public void Draw_ValuesThatAreNoNumbers_AreLeftOut()
    {
        XElement svg = Draw("diverged", "x", new Series("a", [(1, 2), (2, double.NaN), (3, double.PositiveInfinity), (4, 3)]));

        Assert.Equal(2, svg.Descendants("circle").Count());
        Assert.DoesNotContain("NaN", svg.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Draw_NoPoints_IsAnEmptyChart() => Assert.Empty(Draw("none", "x", new Series("a", [])).Descendants("circle"));

    [Fact]
    public void Draw_AReference_IsDashedWithoutPoints()
    {
        XElement svg = Draw("reference", "x", new Series("a", [(1, 1), (2, 1)], Dashed: true));

        Assert.Empty(svg.Descendants("circle"));
        Assert.NotNull(Assert.Single(svg.Descendants("polyline")).Attribute("stroke-dasharray"));
    }

    // Parsing is a check of its own: an unescaped name or a broken attribute is no XML.
    private static XElement Draw(string title, string axis, params Series[] series) =>
        XElement.Parse(LineChart.Draw(title, axis, series).Replace(" xmlns=\"http://www.w3.org/2000/svg\"", "", StringComparison.Ordinal));
}
