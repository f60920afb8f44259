using Federated.Compat.Torch;

namespace TorchSharp;

public static partial class torch
{
    /// <summary>A handle on a native tensor. It lives until Dispose, the end of its dispose scope, or its finalizer.</summary>
    public partial class Tensor : IDisposable
    {
        internal nint handle;

        internal Tensor(nint handle, bool register = true)
        {
            this.handle = handle;
            if (register) DisposeScopeManager.ThreadSingleton.Register(this);
        }

        // A leaked tensor: its scope, if any, is garbage too and may have been finalised before it, so it is not touched.
        ~Tensor() => Release();

        internal DisposeScope? OwningDisposeScope { get; set; }

        internal int ScopeSlot { get; set; }

        /// <summary>Tensors that managed code holds on to, over all threads.</summary>
        public static long TotalCount => NativeOps.LiveTensors;

        public string? name { get; set; }

        public bool IsInvalid => handle == 0;

        public nint Handle
        {
            get
            {
                nint current = handle;
                return current != 0 ? current : throw new InvalidOperationException("Tensor invalid -- it was disposed, or its handle was taken over.");
            }
        }

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
            if (handle == 0) return;
            LifetimeStatistics counts = DisposeScopeManager.ThreadSingleton.Counts.TensorStatistics;
            if (OwningDisposeScope is DisposeScope scope)
            {
                counts.DisposedInScopeCount++;
                scope.Remove(this);
            }
            else
            {
                counts.DisposedOutsideScopeCount++;
            }

            Release();
        }

        /// <summary>The part of Dispose that a scope needs at its end, when it drops its whole list at once.</summary>
        internal void DisposeWithScope()
        {
            OwningDisposeScope = null;
            DisposeScopeManager.ThreadSingleton.Counts.TensorStatistics.DisposedInScopeCount++;
            Release();
            GC.SuppressFinalize(this);
        }

        private void Release()
        {
            nint owned = Interlocked.Exchange(ref handle, 0);
            if (owned != 0) NativeMethods.ft_free(owned);
        }

        /// <summary>Gives the handle away; this object is empty afterwards.</summary>
        internal nint MoveHandle() => Interlocked.Exchange(ref handle, 0);

        public nint DecoupleFromNativeHandle()
        {
            GC.SuppressFinalize(this);
            _ = Handle;
            return MoveHandle();
        }

        public Tensor MoveToOuterDisposeScope()
        {
            OwningDisposeScope?.MoveToOuter(this);
            return this;
        }

        public Tensor DetachFromDisposeScope()
        {
            OwningDisposeScope?.Detach(this);
            return this;
        }

        public Tensor MoveToOtherDisposeScope(Tensor other) => MoveToOtherDisposeScope(other.OwningDisposeScope);

        public Tensor MoveToOtherDisposeScope(DisposeScope? other)
        {
            if (OwningDisposeScope is DisposeScope scope) scope.MoveToOther(other, this);
            else other?.Attach(this);
            return this;
        }

        public override bool Equals(object? obj) => obj is Tensor other && Equals(other);

        public bool Equals(Tensor target) => ReferenceEquals(this, target) || (target is not null && Aten.Equal.CallNumber(this, target) != 0);

        public override int GetHashCode() => System.Runtime.CompilerServices.RuntimeHelpers.GetHashCode(this);

        public override string ToString() =>
            IsInvalid ? "[disposed]" : $"[{string.Join('x', shape)}], type = {dtype}, device = {device}";
    }
}
