namespace TorchSharp;

/// <summary>The dispose scopes of one thread. They follow no <c>await</c> and see no other thread.</summary>
public class DisposeScopeManager
{
    private const int MostKept = 4096;
    [ThreadStatic] private static DisposeScopeManager? _ofThread;

    // Lists of closed scopes, for the next ones: a training step opens hundreds.
    private readonly Stack<List<torch.Tensor>> _spare = new();

    internal static DisposeScopeManager ThreadSingleton => _ofThread ??= new DisposeScopeManager();

    public static ThreadDisposeScopeStatistics Statistics => ThreadSingleton.Counts;

    internal ThreadDisposeScopeStatistics Counts { get; } = new();

    internal DisposeScope? CurrentDisposeScope { get; private set; }

    internal DisposeScope NewDisposeScope() =>
        CurrentDisposeScope = new DisposeScope(this, CurrentDisposeScope, _spare.TryPop(out List<torch.Tensor>? list) ? list : []);

    internal void Register(torch.Tensor tensor)
    {
        if (CurrentDisposeScope is DisposeScope scope)
        {
            Counts.TensorStatistics.CreatedInScopeCount++;
            scope.Add(tensor);
        }
        else
        {
            Counts.TensorStatistics.CreatedOutsideScopeCount++;
        }
    }

    // Scopes may be closed out of order: one that is not the innermost is taken out of the chain.
    internal void Remove(DisposeScope closed, List<torch.Tensor> emptied)
    {
        if (emptied.Capacity <= MostKept) _spare.Push(emptied);
        if (ReferenceEquals(CurrentDisposeScope, closed))
        {
            CurrentDisposeScope = closed.OuterScope;
            return;
        }

        for (DisposeScope? scope = CurrentDisposeScope; scope is not null; scope = scope.OuterScope)
        {
            if (!ReferenceEquals(scope.OuterScope, closed)) continue;
            scope.OuterScope = closed.OuterScope;
            return;
        }
    }
}
