using System.Globalization;
using System.Text;

namespace Federated.Simulations.Reports;

/// <summary>A line of a chart.</summary>
/// <param name="Name">For the legend.</param>
/// <param name="Points">x and y.</param>
/// <param name="Dashed">Drawn as a reference line.</param>
public sealed record Series(string Name, IReadOnlyList<(double X, double Y)> Points, bool Dashed = false);

/// <summary>A line chart as inline SVG: no script, no font, no file besides.</summary>
public static class LineChart
{
    private const int Width = 640, Height = 320, Left = 56, Right = 150, Top = 34, Bottom = 44;

    // Okabe and Ito's palette: told apart with any kind of colour vision.
    private static readonly string[] Colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];

    /// <summary>Draws the chart.</summary>
    /// <param name="title">Above the chart.</param>
    /// <param name="xAxis">Name of x.</param>
    /// <param name="series">The lines. Points that are no finite numbers, as of a training that diverged, are left out.</param>
    public static string Draw(string title, string xAxis, IReadOnlyList<Series> series)
    {
        ArgumentNullException.ThrowIfNull(series);
        series = [.. series.Select(line => line with { Points = [.. line.Points.Where(p => double.IsFinite(p.X) && double.IsFinite(p.Y))] })];
        var points = series.SelectMany(line => line.Points).ToArray();
        (double lowX, double highX) = Range(points.Select(p => p.X));
        Axis vertical = Axis.Around(points.Select(p => p.Y));
        StringBuilder svg = new();
        Add($"""<svg xmlns="http://www.w3.org/2000/svg" class="chart" font-family="system-ui, sans-serif" font-size="11" viewBox="0 0 {Width} {Height}" role="img" aria-label="{Html.Text(title)}">""");
        Add($"""<text x="{Left}" y="18" class="title">{Html.Text(title)}</text>""");
        foreach ((double value, string label) in vertical.Ticks())
        {
            Add($"""<line x1="{Left}" x2="{Width - Right}" y1="{Y(value):0.#}" y2="{Y(value):0.#}" class="grid" stroke="#e3e8ee"/>""");
            Add($"""<text x="{Left - 6}" y="{Y(value) + 4:0.#}" class="tick" text-anchor="end">{label}</text>""");
        }

        foreach (double x in points.Select(p => p.X).Distinct().Order().Where((_, i) => i % Math.Max(1, (int)(highX - lowX) / 12) == 0))
            Add($"""<text x="{X(x):0.#}" y="{Height - Bottom + 18}" class="tick" text-anchor="middle">{x:0.##}</text>""");
        Add($"""<text x="{(Left + Width - Right) / 2}" y="{Height - 8}" class="tick" text-anchor="middle">{Html.Text(xAxis)}</text>""");
        for (int i = 0; i < series.Count; i++)
            AddSeries(series[i], Colours[i % Colours.Length], i);
        return svg.Append("</svg>").ToString();

        double X(double x) => Left + ((x - lowX) / (highX - lowX) * (Width - Left - Right));
        double Y(double y) => Height - Bottom - ((y - vertical.Low) / (vertical.High - vertical.Low) * (Height - Top - Bottom));
        void Add(FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture)).Append('\n');

        void AddSeries(Series line, string colour, int index)
        {
            string path = string.Join(' ', line.Points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.X):0.#},{Y(p.Y):0.#}")));
            string dash = line.Dashed ? """ stroke-dasharray="6 4" """ : "";
            Add($"""<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>""");
            if (!line.Dashed)
            {
                foreach ((double x, double y) in line.Points)
                    Add($"""<circle cx="{X(x):0.#}" cy="{Y(y):0.#}" r="3" fill="{colour}"/>""");
            }

            int row = Top + 12 + (index * 20);
            Add($"""<line x1="{Width - Right + 12}" x2="{Width - Right + 32}" y1="{row}" y2="{row}" stroke="{colour}" stroke-width="2"{dash}/>""");
            Add($"""<text x="{Width - Right + 38}" y="{row + 4}" class="tick">{Html.Text(line.Name)}</text>""");
        }
    }

    private static (double Low, double High) Range(IEnumerable<double> values)
    {
        double[] all = [.. values];
        (double low, double high) = all.Length == 0 ? (0, 1) : (all.Min(), all.Max());
        return high > low ? (low, high) : (low - 0.5, high + 0.5);
    }
}
