using System.Globalization;
using System.Security.Authentication;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Retry;

namespace Federated.Client.Agent;

/// <summary>What is tried again, and when: exponential back-off from 1 s to 60 s with full jitter.</summary>
/// <remarks>
/// A coordinator that is away is waited for without end, since rounds have their own deadlines; bytes damaged on the way are sent afresh
/// three times, since more of that is no accident. A refusal is final.
/// </remarks>
public static class RetryPolicy
{
    private const int DamagedTransfers = 3;

    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan LongestWish = TimeSpan.FromMinutes(10);

    /// <summary>For the calls of a round: the same bytes again.</summary>
    public static ResiliencePipeline ForCalls(TimeProvider clock, ILogger log) => Build(clock, log, IsTransient);

    /// <summary>For the connection: a fault within the coordinator is waited out too, or every site would need a hand after it.</summary>
    public static ResiliencePipeline ForConnection(TimeProvider clock, ILogger log) =>
        Build(clock, log, e => IsTransient(e) || (e.StatusCode is StatusCode.Internal or StatusCode.Unknown && !IsUntrusted(e)));

    /// <summary>True when another try with the same bytes may succeed once the coordinator or the network is well again.</summary>
    public static bool IsTransient(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        if (IsUntrusted(error) || IsDamaged(error))
            return false;
        if (ReasonOf(error) is { } reason)
            return reason.IsTransient();

        return error.StatusCode switch
        {
            StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Aborted or StatusCode.Cancelled => true,
            StatusCode.ResourceExhausted => error.Trailers.GetValue(ProtocolLimits.RetryAfterTrailer) is not null,
            // With a cause of our own it is the connection that broke; without, the coordinator says so itself.
            StatusCode.Internal or StatusCode.Unknown => error.Status.DebugException is not null,
            _ => false,
        };
    }

    /// <summary>True when the coordinator's certificate was not accepted: asking again would only hide it.</summary>
    public static bool IsUntrusted(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        for (Exception? cause = error.Status.DebugException; cause is not null; cause = cause.InnerException)
        {
            if (cause is AuthenticationException)
                return true;
        }

        return false;
    }

    /// <summary>The code word of a refusal; null when there is none that we know.</summary>
    public static RejectReason? ReasonOf(RpcException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return RejectReasons.Parse(error.Trailers.GetValue(ProtocolLimits.ReasonTrailer));
    }

    /// <summary>A random part of a second: many sites that lost one coordinator do not come back in one instant.</summary>
    public static TimeSpan Jitter() => TimeSpan.FromSeconds(Random.Shared.NextDouble());

    private static bool IsDamaged(RpcException error) =>
        error.StatusCode == StatusCode.DataLoss || ReasonOf(error) is RejectReason.DigestMismatch or RejectReason.LengthMismatch;

    private static ResiliencePipeline Build(TimeProvider clock, ILogger log, Func<RpcException, bool> again) =>
        new ResiliencePipelineBuilder { TimeProvider = clock }
            .AddRetry(Options(int.MaxValue, new PredicateBuilder().Handle(again), log))
            .AddRetry(Options(DamagedTransfers, new PredicateBuilder().Handle<RpcException>(IsDamaged).Handle<InvalidDataException>(), log))
            .Build();

    private static RetryStrategyOptions Options(int attempts, PredicateBuilder<object> handled, ILogger log) => new()
    {
        MaxRetryAttempts = attempts,
        ShouldHandle = handled,
        DelayGenerator = retry => ValueTask.FromResult<TimeSpan?>(Delay(retry.AttemptNumber, retry.Outcome.Exception)),
        OnRetry = retry =>
        {
            log.LogWarning("coordinator: {Error}; trying again in {Delay:0.0} s", FailureText.ForLog(retry.Outcome.Exception!), retry.RetryDelay.TotalSeconds);
            return ValueTask.CompletedTask;
        },
    };

    private static TimeSpan Delay(int attempt, Exception? error)
    {
        // 2^6 s is above the longest delay already; a higher power would only overflow.
        TimeSpan ceiling = TimeSpan.FromSeconds(Math.Min(LongestDelay.TotalSeconds, Math.Pow(2, Math.Min(attempt, 6))));
        return (Random.Shared.NextDouble() * ceiling) + Wish(error as RpcException);
    }

    /// <summary>How long the coordinator asks us to wait; bounded, since a mistaken number would silence the site.</summary>
    private static TimeSpan Wish(RpcException? error) =>
        long.TryParse(error?.Trailers.GetValue(ProtocolLimits.RetryAfterTrailer), NumberStyles.None, CultureInfo.InvariantCulture, out long wish)
            ? TimeSpan.FromMilliseconds(Math.Min(wish, LongestWish.TotalMilliseconds))
            : TimeSpan.Zero;
}
