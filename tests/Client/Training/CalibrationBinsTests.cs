using Federated.Client.Training;

namespace Federated.Client.Tests.Training;

public sealed class CalibrationBinsTests
{
    [Fact]
    public void ExpectedError_SmallExample_IsTheSumOverBinsByHand()
    {
        // Bins of width 1/15. 0.95 (right) and 0.97 (wrong) share the last one, (14/15, 1]: |1 - 1.92|/4; 0.5 is alone in (7/15, 8/15]: right,
        // |1 - 0.5|/4; 0.35 is alone in (5/15, 6/15]: wrong, |0 - 0.35|/4.
        CalibrationBins bins = Of((0.95, true), (0.97, false), (0.5, true), (0.35, false));
        Assert.Equal((0.92 + 0.5 + 0.35) / 4, bins.ExpectedError(), 1e-12);
    }

    [Theory]
    [InlineData(3, 0.18)]
    [InlineData(6, 0.38)]
    [InlineData(9, 0.58)]
    [InlineData(12, 0.78)]
    public void Add_ConfidenceOnABoundary_BelongsToTheBinBelow(int bin, double below)
    {
        // One right answer on the boundary and one wrong one just below share a bin, so their deviations cancel: |1 - (bin/15 + below)| / 2.
        double boundary = bin / 15.0;
        Assert.Equal(Math.Abs(1 - (boundary + below)) / 2, Of((boundary, true), (below, false)).ExpectedError(), 1e-12);

        // Just above it they do not.
        double above = boundary + 1e-9;
        Assert.Equal((1 - above + below) / 2, Of((above, true), (below, false)).ExpectedError(), 1e-9);
    }

    [Fact]
    public void ExpectedError_CertainAndAlwaysRight_IsZero() => Assert.Equal(0, Of((1, true), (1, true)).ExpectedError());

    [Fact]
    public void ExpectedError_Nothing_IsNaN() => Assert.Equal(double.NaN, new CalibrationBins().ExpectedError());

    [Fact]
    public void Add_AnotherOnesCounts_EqualsCountingAllAtOnce()
    {
        CalibrationBins sum = Of((0.95, true), (0.5, true));
        sum.Add(Of((0.97, false), (0.35, false)));
        Assert.Equal(Of((0.95, true), (0.97, false), (0.5, true), (0.35, false)).ExpectedError(), sum.ExpectedError(), 1e-12);
    }

    private static CalibrationBins Of(params (double Confidence, bool Correct)[] predictions)
    {
        CalibrationBins bins = new();
        foreach ((double confidence, bool correct) in predictions)
            bins.Add(confidence, correct);
        return bins;
    }
}
