using System.Globalization;
using Federated.Client.Adapters;
using Federated.Client.Models;
using Federated.Client.Training.Objectives;
using Federated.Shared.Tensors;
using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Federated.Client.Training;

/// <summary>Trains some parameters of a model on batches: an agent's adapter, a local run, or a whole model in pretraining.</summary>
/// <remarks>
/// The same start, options, batches and thread count give bit-identical parameters. Parameters that are not listed stay untouched and get
/// no gradient. Native memory is freed step by step. Not safe for concurrent use.
/// </remarks>
public sealed class LocalTrainer
{
    private const string StepKey = "steps", OptimizerKey = "optimizer", WeightPrefix = "weight.", AdapterPrefix = "adapter.";
    private readonly PretrainedModel _model;
    private readonly IReadOnlyList<(string Name, Parameter Value)> _parameters;
    private readonly IObjective _objective;
    private readonly TrainingOptions _options;
    private readonly ILocalOptimizer _optimizer;
    private readonly TimeProvider _time;
    private readonly IAdapterTraining? _adapter;

    /// <summary>Prepares training: exactly the listed parameters will require gradients.</summary>
    /// <param name="model">The model, with an adapter attached if one is to be trained.</param>
    /// <param name="parameters">What to train; contiguous float32 on the CPU, names unique.</param>
    /// <param name="objective">What to lower.</param>
    /// <param name="options">Checked here.</param>
    /// <param name="time">Clock for throughput only; null for the system's.</param>
    /// <exception cref="ArgumentException">An option is wrong, or there is nothing to train.</exception>
    public LocalTrainer(
        PretrainedModel model, IReadOnlyList<(string Name, Parameter Value)> parameters, IObjective objective, TrainingOptions options, TimeProvider? time = null)
    {
        options.Validate();
        if (parameters.Count == 0)
            throw new ArgumentException("There is no parameter to train.", nameof(parameters));

        (_model, _parameters, _objective, _options, _time) = (model, parameters, objective, options, time ?? TimeProvider.System);
        foreach ((_, Parameter parameter) in model.Parameters)
            parameter.requires_grad = false;
        foreach ((_, Parameter parameter) in parameters)
            parameter.requires_grad = true;
        _optimizer = LocalOptimizers.Create(parameters, options);
    }

    /// <summary>Prepares the training of an adapter, with what its kind does beside.</summary>
    /// <param name="adapted">The adapter, on its model.</param>
    /// <param name="objective">What to lower.</param>
    /// <param name="options">Checked here.</param>
    /// <param name="time">Clock for throughput only; null for the system's.</param>
    /// <exception cref="ArgumentException">An option is wrong, or there is nothing to train.</exception>
    public LocalTrainer(AdaptedModel adapted, IObjective objective, TrainingOptions options, TimeProvider? time = null)
        : this(adapted.Model, adapted.Trainable, objective, options, time) => _adapter = adapted.Training;

    /// <summary>Steps done so far, those of a restored run included.</summary>
    public int StepsDone { get; private set; }

    /// <summary>The optimiser's state, one tensor a parameter and moment; the arrays themselves, not copies.</summary>
    public NamedTensors OptimizerState => _optimizer.State();

    /// <summary>Trains until the run's last step or the end of the batches.</summary>
    /// <param name="batches">Drawn lazily, <see cref="TrainingOptions.BatchesPerStep"/> a step; a last incomplete group makes a smaller step.</param>
    /// <param name="progress">Called after each step on the calling thread.</param>
    /// <param name="cancellation">Checked before each batch; the parameters are then those of the last complete step.</param>
    /// <exception cref="TrainingDivergedException">The loss or its gradient is not finite.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public TrainingSummary Run(IEnumerable<TrainingBatch> batches, Action<StepReport>? progress = null, CancellationToken cancellation = default)
    {
        int steps = 0;
        double sum = 0, last = double.NaN;
        long tokens = 0, sequences = 0;
        TimeSpan elapsed = TimeSpan.Zero;
        using IEnumerator<TrainingBatch[]> groups = batches.Chunk(_options.BatchesPerStep).GetEnumerator();
        while (StepsDone < _options.Steps && groups.MoveNext())
        {
            StepReport report = Step(groups.Current, cancellation);
            (steps, last, sum) = (steps + 1, report.Loss, sum + report.Loss);
            (tokens, sequences, elapsed) = (tokens + report.Tokens, sequences + report.Sequences, elapsed + report.Elapsed);
            progress?.Invoke(report);
        }

        return new(steps, steps == 0 ? double.NaN : sum / steps, last, tokens, sequences, elapsed);
    }

    /// <summary>One optimiser step over some batches, whose terms weigh equally.</summary>
    /// <exception cref="ArgumentException">A batch lacks what the objective needs, or nothing in the batches is to be learned.</exception>
    /// <exception cref="TrainingDivergedException">The loss or its gradient is not finite; no parameter was changed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; no parameter was changed.</exception>
    public StepReport Step(IReadOnlyList<TrainingBatch> batches, CancellationToken cancellation = default)
    {
        TrainingBatch[] read = [.. batches.Select(batch => batch.For(_model))];
        long started = _time.GetTimestamp(), terms = read.Sum(_objective.Terms);
        if (terms == 0)
            throw new ArgumentException("No batch of the step has anything to learn from: every label is ignored, or every text has one token.", nameof(batches));

        double learningRate = _options.RateOf(StepsDone);
        using DisposeScope scope = NewDisposeScope();
        try
        {
            double loss = Accumulate(read, terms, learningRate, cancellation);
            (double norm, double scale) = Update(learningRate);
            _adapter?.AfterStep(_options.FirstStep + StepsDone, scale);
            StepsDone++;
            return new(StepsDone, loss, learningRate, norm, batches.Sum(batch => (long)batch.Input.RealTokens), batches.Sum(batch => batch.Input.Rows), _time.GetElapsedTime(started));
        }
        finally
        {
            foreach ((_, Parameter parameter) in _parameters)
                parameter.grad = null;
            _model.eval();
        }
    }

    /// <summary>Writes parameters, optimiser state and step count to one file, replaced at once, from which <see cref="Load"/> goes on.</summary>
    public void Save(string path)
    {
        NamedTensors everything = _optimizer.State();
        foreach (string name in _adapter?.State().Names ?? [])
            everything.Add(AdapterPrefix + name, _adapter!.State().Shape(name), _adapter.State()[name]);
        foreach ((string name, Parameter parameter) in _parameters)
            everything.Add(WeightPrefix + name, parameter.shape, parameter.Floats().ToArray());
        everything.Save(path, metadata: new Dictionary<string, string>
        {
            [StepKey] = StepsDone.ToString(CultureInfo.InvariantCulture),
            [OptimizerKey] = _options.Optimizer,
        });
    }

    /// <summary>Takes over a state written by <see cref="Save"/>; training then goes on bit by bit as if it had never stopped, given the same batches from there.</summary>
    /// <exception cref="TensorFormatException">The file is damaged, or of other parameters or another optimiser.</exception>
    public void Load(string path)
    {
        using (SafetensorsFile file = SafetensorsFile.Open(path))
        {
            if (file.Metadata.GetValueOrDefault(OptimizerKey) != _options.Optimizer
                || !int.TryParse(file.Metadata.GetValueOrDefault(StepKey), NumberStyles.None, CultureInfo.InvariantCulture, out int steps))
            {
                throw new TensorFormatException(TensorFormatReason.BadTensorSet, $"{path}: no training state of the optimiser '{_options.Optimizer}' (metadata '{OptimizerKey}' and '{StepKey}').");
            }

            foreach ((string name, Parameter parameter) in _parameters)
            {
                if (!file.Info(WeightPrefix + name).Shape.SequenceEqual(parameter.shape))
                    throw new TensorFormatException(TensorFormatReason.BadShape, $"{path}: '{name}' has shape {TensorText.Shape(file.Info(WeightPrefix + name).Shape)}, this run trains {TensorText.Shape(parameter.shape)}.");
            }

            StepsDone = steps;
        }

        NamedTensors stored = NamedTensors.FromFile(path);
        _optimizer.Restore(stored, StepsDone);
        foreach (string name in _adapter?.State().Names ?? [])
            stored[AdapterPrefix + name].CopyTo(_adapter!.State()[name], 0);
        foreach ((string name, Parameter parameter) in _parameters)
            stored[WeightPrefix + name].CopyTo(parameter.Floats());
    }

    private double Accumulate(IReadOnlyList<TrainingBatch> batches, long terms, double learningRate, CancellationToken cancellation)
    {
        // Dropout depends on the step alone, so that a resumed run draws what the uninterrupted one would have drawn.
        manual_seed(unchecked((_options.Seed * 1_000_003) + _options.FirstStep + StepsDone));
        _model.train();
        double loss = 0;
        foreach (TrainingBatch batch in batches)
        {
            cancellation.ThrowIfCancellationRequested();
            using DisposeScope scope = NewDisposeScope();
            Tensor share = _objective.Sum(_model, batch) * (1.0 / terms);
            loss += share.item<float>();
            if (!double.IsFinite(loss))
                throw Diverged("loss", loss, learningRate);
            share.backward();
        }

        if (_adapter?.Penalty() is { } penalty)
        {
            loss += penalty.item<float>();
            penalty.backward();
        }

        return loss;
    }

    private (double Norm, double Scale) Update(double learningRate)
    {
        Tensor?[] gradients = [.. _parameters.Select(parameter => parameter.Value.grad)];
        double squares = 0;
        foreach (Tensor? gradient in gradients)
            squares += gradient is null ? 0 : Gradients.SumOfSquares(gradient.Floats());
        double norm = Math.Sqrt(squares);
        if (!double.IsFinite(norm))
            throw Diverged("gradient norm", norm, learningRate);

        // The small constant is PyTorch's: clip_grad_norm_ divides by the norm plus 1e-6.
        double scale = _options.ClipNorm is { } most ? Math.Min(1, most / (norm + 1e-6)) : 1;
        _optimizer.BeginStep(learningRate, scale);
        for (int i = 0; i < gradients.Length; i++)
        {
            if (gradients[i] is { } gradient)
                _optimizer.Update(i, _parameters[i].Value.Floats(), gradient.Floats());
        }

        return (norm, scale);
    }

    private TrainingDivergedException Diverged(string what, double value, double learningRate) => new(FormattableString.Invariant(
        $"The {what} is {value} at step {StepsDone + 1} of {_options.Steps} (learning rate {learningRate:g4}, {_objective.Name}). Lower the learning rate, lengthen the warm-up or clip gradients (ClipNorm); if it happens at step 1, the starting weights are damaged."));
}
