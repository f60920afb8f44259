using Grpc.Core;

namespace Federated.Client.Agent;

/// <summary>Gives up a call in which nothing has moved for a while, and tells a call that we cancelled from one that broke.</summary>
/// <remarks>gRPC reports both as a status; the difference decides whether to try again. Time is the given clock's, never the wall's.</remarks>
internal sealed class CallGuard
{
    private readonly CancellationTokenSource _idle;
    private readonly TimeSpan _limit;

    private CallGuard(CancellationTokenSource idle, TimeSpan limit, CancellationToken token) => (_idle, _limit, Token) = (idle, limit, token);

    /// <summary>Cancelled when the caller cancels or when nothing moved for too long.</summary>
    public CancellationToken Token { get; }

    /// <summary>Runs <paramref name="call"/>.</summary>
    /// <param name="what">Names the call in the error.</param>
    /// <param name="limit">Longest time without <see cref="Moved"/>; <see cref="Timeout.InfiniteTimeSpan"/> for none.</param>
    /// <param name="clock">Measures it.</param>
    /// <param name="call">The call; it passes <see cref="Token"/> on.</param>
    /// <param name="cancellation">The caller's.</param>
    /// <exception cref="OperationCanceledException">The caller cancelled.</exception>
    /// <exception cref="RpcException">The call's own, or <see cref="StatusCode.DeadlineExceeded"/> when nothing moved.</exception>
    public static async Task<T> RunAsync<T>(
        string what, TimeSpan limit, TimeProvider clock, Func<CallGuard, Task<T>> call, CancellationToken cancellation)
    {
        using CancellationTokenSource idle = new(limit, clock);
        using CancellationTokenSource either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, idle.Token);
        try
        {
            return await call(new(idle, limit, either.Token));
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException && cancellation.IsCancellationRequested)
        {
            throw new OperationCanceledException($"{what}: stopped.", e, cancellation);
        }
        catch (Exception e) when (e is RpcException { StatusCode: StatusCode.Cancelled } or OperationCanceledException && idle.IsCancellationRequested)
        {
            throw new RpcException(new Status(StatusCode.DeadlineExceeded, $"{what}: nothing moved for {limit.TotalSeconds:0} s.", e));
        }
    }

    /// <summary>Something moved: the time starts afresh.</summary>
    public void Moved() => _idle.CancelAfter(_limit);
}
