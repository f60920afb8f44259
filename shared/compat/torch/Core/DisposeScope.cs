using System.Runtime.InteropServices;

namespace TorchSharp;

/// <summary>Disposes, at its own end, every tensor made on this thread meanwhile that was not moved out or detached.</summary>
public sealed class DisposeScope : IDisposable
{
    private readonly List<torch.Tensor> _tensors;
    private DisposeScopeManager? _manager;

    internal DisposeScope(DisposeScopeManager manager, DisposeScope? outer, List<torch.Tensor> tensors) =>
        (_manager, OuterScope, _tensors) = (manager, outer, tensors);

    internal DisposeScope? OuterScope { get; set; }

    public IReadOnlyList<IDisposable> DisposablesView
    {
        get
        {
            _ = Manager;
            return [.. _tensors];
        }
    }

    public int DisposablesCount
    {
        get
        {
            _ = Manager;
            return _tensors.Count;
        }
    }

    private DisposeScopeManager Manager => _manager ?? throw new ObjectDisposedException(nameof(DisposeScope));

    public T MoveToOuter<T>(T disposable) where T : IDisposable => MoveToOther(OuterScope, disposable);

    public (T1 first, T2 second) MoveToOuter<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        (MoveToOuter(first), MoveToOuter(second));

    public (T1 first, T2 second, T3 third) MoveToOuter<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable =>
        (MoveToOuter(first), MoveToOuter(second), MoveToOuter(third));

    public void MoveToOuter(params IDisposable[] disposables) => MoveToOuter((IEnumerable<IDisposable>)disposables);

    public void MoveToOuter(IEnumerable<IDisposable> disposables) => MoveToOther(OuterScope, disposables);

    public T MoveToOther<T>(DisposeScope? scope, T disposable) where T : IDisposable
    {
        Move(scope, disposable);
        return disposable;
    }

    public (T1 first, T2 second) MoveToOther<T1, T2>(DisposeScope? scope, T1 first, T2 second)
        where T1 : IDisposable where T2 : IDisposable => (MoveToOther(scope, first), MoveToOther(scope, second));

    public (T1 first, T2 second, T3 third) MoveToOther<T1, T2, T3>(DisposeScope? scope, T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable =>
        (MoveToOther(scope, first), MoveToOther(scope, second), MoveToOther(scope, third));

    public void MoveToOther(DisposeScope? scope, params IDisposable[] disposables) =>
        MoveToOther(scope, (IEnumerable<IDisposable>)disposables);

    public void MoveToOther(DisposeScope? scope, IEnumerable<IDisposable> disposables)
    {
        foreach (IDisposable disposable in disposables) Move(scope, disposable);
    }

    public T Detach<T>(T disposable) where T : IDisposable => MoveToOther(null, disposable);

    public (T1 first, T2 second) Detach<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable =>
        (Detach(first), Detach(second));

    public (T1 first, T2 second, T3 third) Detach<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable => (Detach(first), Detach(second), Detach(third));

    public void Detach(params IDisposable[] disposables) => Detach((IEnumerable<IDisposable>)disposables);

    public void Detach(IEnumerable<IDisposable> disposables) => MoveToOther(null, disposables);

    public void Attach(IDisposable disposable)
    {
        DisposeScopeManager manager = Manager;
        torch.Tensor tensor = disposable as torch.Tensor
            ?? throw new InvalidOperationException($"A dispose scope keeps tensors only, got {disposable?.GetType().Name ?? "null"}.");
        if (Contains(tensor)) return;
        tensor.OwningDisposeScope?.Remove(tensor);
        Add(tensor);
        manager.Counts.TensorStatistics.AttachedToScopeCount++;
    }

    public void Attach(params IDisposable[] disposables) => Attach((IEnumerable<IDisposable>)disposables);

    public IReadOnlyList<IDisposable> Attach(IEnumerable<IDisposable> disposables)
    {
        IDisposable[] all = [.. disposables];
        foreach (IDisposable disposable in all) Attach(disposable);
        return all;
    }

    public void DisposeEverything()
    {
        _ = Manager;
        foreach (torch.Tensor tensor in CollectionsMarshal.AsSpan(_tensors)) tensor.DisposeWithScope();
        _tensors.Clear();
    }

    public void DisposeEverythingBut(IEnumerable<IDisposable> inKeep)
    {
        _ = Manager;
        HashSet<object> keep = new(inKeep, ReferenceEqualityComparer.Instance);
        int kept = 0;
        Span<torch.Tensor> tensors = CollectionsMarshal.AsSpan(_tensors);
        foreach (torch.Tensor tensor in tensors)
        {
            if (keep.Contains(tensor))
            {
                tensors[kept] = tensor;
                tensor.ScopeSlot = kept++;
            }
            else
            {
                tensor.DisposeWithScope();
            }
        }

        _tensors.RemoveRange(kept, _tensors.Count - kept);
    }

    public void DisposeEverythingBut(params IDisposable[] keep) => DisposeEverythingBut((IEnumerable<IDisposable>)keep);

    public T DisposeEverythingBut<T>(T keep) where T : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[keep]);
        return keep;
    }

    public (T1 first, T2 second) DisposeEverythingBut<T1, T2>(T1 first, T2 second) where T1 : IDisposable where T2 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second]);
        return (first, second);
    }

    public (T1 first, T2 second, T3 third) DisposeEverythingBut<T1, T2, T3>(T1 first, T2 second, T3 third)
        where T1 : IDisposable where T2 : IDisposable where T3 : IDisposable
    {
        DisposeEverythingBut((IEnumerable<IDisposable>)[first, second, third]);
        return (first, second, third);
    }

    public void Dispose()
    {
        if (_manager is null) return;
        DisposeEverything();
        _manager.Remove(this, _tensors);
        _manager = null;
    }

    public void MarkAsDisposed(IDisposable disposable)
    {
        _ = Manager;
        if (disposable is torch.Tensor tensor && Contains(tensor)) Remove(tensor);
    }

    public bool Contains(IDisposable disposable) => disposable is torch.Tensor tensor && ReferenceEquals(tensor.OwningDisposeScope, this);

    /// <summary>Puts <paramref name="replacement"/> in the scope, if any, that <paramref name="original"/> was in.</summary>
    internal static void Replace(torch.Tensor original, torch.Tensor replacement)
    {
        if (original.OwningDisposeScope is not DisposeScope scope) return;
        scope.Remove(original);
        scope.Add(replacement);
    }

    internal void Add(torch.Tensor tensor)
    {
        _ = Manager;
        tensor.OwningDisposeScope = this;
        tensor.ScopeSlot = _tensors.Count;
        _tensors.Add(tensor);
    }

    // A tensor knows its place, the last one moves into it: constant time without hashing.
    internal void Remove(torch.Tensor tensor)
    {
        int slot = tensor.ScopeSlot, last = _tensors.Count - 1;
        torch.Tensor moved = _tensors[last];
        _tensors[slot] = moved;
        moved.ScopeSlot = slot;
        _tensors.RemoveAt(last);
        tensor.OwningDisposeScope = null;
    }

    private void Move(DisposeScope? target, IDisposable disposable)
    {
        DisposeScopeManager manager = Manager;
        if (disposable is not torch.Tensor tensor || !Contains(tensor)) return;
        Remove(tensor);
        if (target is null) manager.Counts.TensorStatistics.DetachedFromScopeCount++;
        else target.Add(tensor);
    }
}
