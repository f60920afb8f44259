using System.Globalization;
using Federated.Coordinator.Aggregation;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Tests.Aggregation;

/// <summary>Updates written to real files in a folder of their own, folded as the coordinator folds them.</summary>
internal sealed class Cohort : IDisposable
{
    public const string A = "base_model.model.layers.0.q_proj.lora_A.weight";
    public const string B = "base_model.model.layers.0.q_proj.lora_B.weight";
    public const string Layer = "layers.0.q_proj";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("federated-cohort-");
    private readonly List<AggregationUpdate> _updates = [];
    private readonly List<SafetensorsFile> _files = [];
    private NamedTensors? _global;

    public double Scaling { get; init; } = 1;

    public int Threads { get; init; } = 2;

    /// <summary>The first update without a shape of its own, or what the test says, gives the global adapter's tensors.</summary>
    public Cohort Global(NamedTensors tensors)
    {
        _global = tensors;
        return this;
    }

    public Cohort Add(string site, double weight, NamedTensors tensors, double scaling = 1)
    {
        _global ??= tensors;
        _updates.Add(new(site, weight, scaling, Open(site, tensors)));
        return this;
    }

    public Cohort Add(string site, double weight, double[,] a, double[,] b, double scaling = 1) => Add(site, weight, Adapter(a, b), scaling);

    public static NamedTensors Adapter(double[,] a, double[,] b)
    {
        NamedTensors tensors = new();
        tensors.Add(A, [a.GetLength(0), a.GetLength(1)], [.. a.Cast<double>().Select(v => (float)v)]);
        tensors.Add(B, [b.GetLength(0), b.GetLength(1)], [.. b.Cast<double>().Select(v => (float)v)]);
        return tensors;
    }

    public (NamedTensors Next, AggregationResult Result) Fold(IAggregationRule rule, bool reversed = false, CancellationToken cancellation = default)
    {
        string path = Path.Combine(_folder.FullName, $"next-{_files.Count}.safetensors");
        using SafetensorsFile global = Open("global", _global!);
        AggregationRound round = new(1, Scaling, global, reversed ? _updates.AsEnumerable().Reverse() : _updates) { Threads = Threads };
        AggregationResult result;
        using (FileStream output = File.Create(path))
            result = rule.Aggregate(round, output, cancellation);

        return (NamedTensors.FromFile(path), result);
    }

    /// <summary>Folds and reads back the layer of <see cref="Add(string, double, double[,], double[,], double)"/>.</summary>
    public (double[,] A, double[,] B, IReadOnlyDictionary<string, double> Diagnostics) FoldLayer(IAggregationRule rule)
    {
        (NamedTensors next, AggregationResult result) = Fold(rule);
        return (Matrix(next, A), Matrix(next, B), result.Diagnostics);
    }

    public static IAggregationRule Rule(string name, params (string Name, object Value)[] options)
    {
        List<string> errors = [];
        IAggregationRule? rule = AggregationRules.Default.Create(
            "aggregation", name, options.ToDictionary(o => o.Name, o => Convert.ToString(o.Value, CultureInfo.InvariantCulture)!), errors);
        Assert.Empty(errors);
        return rule!;
    }

    public static IAggregationRule LoraFair(double lambda) => Rule(AggregationRules.LoraFair, ("lambda", lambda));

    public void Dispose()
    {
        _files.ForEach(file => file.Dispose());
        _folder.Delete(recursive: true);
    }

    private SafetensorsFile Open(string name, NamedTensors tensors)
    {
        string path = Path.Combine(_folder.FullName, $"{name}-{_files.Count}.safetensors");
        tensors.Save(path);
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        return file;
    }

    private static double[,] Matrix(NamedTensors tensors, string name)
    {
        IReadOnlyList<long> shape = tensors.Shape(name);
        double[,] matrix = new double[shape[0], shape[1]];
        for (int i = 0; i < shape[0]; i++)
        {
            for (int j = 0; j < shape[1]; j++)
                matrix[i, j] = tensors[name][(i * shape[1]) + j];
        }

        return matrix;
    }
}
