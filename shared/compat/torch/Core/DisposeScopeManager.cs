namespace TorchSharp;

/// <summary>The dispose scopes of one thread. They follow no <c>await</c> and see no other thread.</summary>
public class DisposeScopeManager
{
    [ThreadStatic] private static DisposeScopeManager? _ofThread;

    internal static DisposeScopeManager ThreadSingleton => _ofThread ??= new DisposeScopeManager();

    public static ThreadDisposeScopeStatistics Statistics => ThreadSingleton.Counts;

    internal ThreadDisposeScopeStatistics Counts { get; } = new();

    internal DisposeScope? CurrentDisposeScope { get; private set; }

    internal DisposeScope NewDisposeScope() => CurrentDisposeScope = new DisposeScope(this, CurrentDisposeScope);

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
    internal void Remove(DisposeScope closed)
    {
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
