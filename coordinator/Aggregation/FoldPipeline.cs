using System.Runtime.ExceptionServices;
using Federated.Shared.Tensors;

namespace Federated.Coordinator.Aggregation;

/// <summary>Runs fold steps on a few threads and writes their results in order: one computes while another writes.</summary>
/// <remarks>A worker keeps its result until its turn, so there are never more results in memory than workers.</remarks>
internal sealed class FoldPipeline
{
    private readonly IReadOnlyList<FoldStep> _steps;
    private readonly SafetensorsWriter _writer;
    private readonly CancellationToken _cancellation;
    private readonly object _turn = new();
    private int _claimed;
    private int _written;
    private int _failedStep = int.MaxValue;
    private Exception? _failure;

    private FoldPipeline(IReadOnlyList<FoldStep> steps, SafetensorsWriter writer, CancellationToken cancellation)
    {
        _steps = steps;
        _writer = writer;
        _cancellation = cancellation;
    }

    /// <summary>Runs all steps; the calling thread works too.</summary>
    /// <exception cref="AggregationException">A step failed; of several, the first in order, whatever the threads did.</exception>
    public static void Run(IReadOnlyList<FoldStep> steps, SafetensorsWriter writer, int threads, CancellationToken cancellation)
    {
        FoldPipeline pipeline = new(steps, writer, cancellation);
        Thread[] helpers = new Thread[Math.Max(0, Math.Min(threads, steps.Count) - 1)];
        for (int i = 0; i < helpers.Length; i++)
        {
            helpers[i] = new Thread(pipeline.Work) { IsBackground = true, Name = $"fold {i + 1}" };
            helpers[i].Start();
        }

        pipeline.Work();
        foreach (Thread helper in helpers)
            helper.Join();

        if (pipeline._failure is not null)
            ExceptionDispatchInfo.Throw(pipeline._failure);
    }

    private void Work()
    {
        FoldScratch scratch = new();
        while (TryClaim(out int step))
        {
            try
            {
                _cancellation.ThrowIfCancellationRequested();
                _steps[step].Compute(scratch, _cancellation);
                WriteInTurn(step, scratch);
            }
            catch (Exception e)
            {
                Fail(step, e);
            }
        }
    }

    private bool TryClaim(out int step)
    {
        lock (_turn)
        {
            step = _claimed;
            if (step == _steps.Count || _failure is not null)
                return false;

            _claimed++;
            return true;
        }
    }

    private void WriteInTurn(int step, FoldScratch scratch)
    {
        lock (_turn)
        {
            while (_written != step && _failure is null)
                Monitor.Wait(_turn);
        }

        // Only the step whose turn it is gets here without a failure, so the lock need not be held while it writes.
        if (Volatile.Read(ref _failure) is not null)
            return;

        _steps[step].Write(_writer, scratch);
        lock (_turn)
        {
            _written++;
            Monitor.PulseAll(_turn);
        }
    }

    // Claims go up, so every step before this one is at work already and reports its own failure, if it has one.
    private void Fail(int step, Exception failure)
    {
        lock (_turn)
        {
            if (step < _failedStep)
                (_failedStep, _failure) = (step, failure);

            Monitor.PulseAll(_turn);
        }
    }
}
