using System.Globalization;
using System.Text;
using Federated.Coordinator.Store;
using Federated.Shared.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;

namespace Federated.Coordinator.Endpoints;

/// <summary>Turns refusals into gRPC statuses with their code word; anything else is a bug of ours, logged with a number that the caller gets.</summary>
internal sealed class RefusalInterceptor(FatalErrors fatal, ILogger<RefusalInterceptor> log) : Interceptor
{
    /// <summary>Longest status detail, as it stands on the wire.</summary>
    private const int LongestDetail = 512;

    /// <summary>What a caller is told to wait before trying a transient refusal again.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(2);

    private static long _errors;

    /// <inheritdoc/>
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(
        TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(request, context));

    /// <inheritdoc/>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => continuation(requestStream, context));

    /// <inheritdoc/>
    public override Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => Plain(continuation(request, responseStream, context)));

    /// <inheritdoc/>
    public override Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context,
        DuplexStreamingServerMethod<TRequest, TResponse> continuation) =>
        Guard(context, () => Plain(continuation(requestStream, responseStream, context)));

    /// <summary>A refusal as it goes over the wire.</summary>
    internal static RpcException ToStatus(FederatedException refusal)
    {
        Metadata trailers = new() { { ProtocolLimits.ReasonTrailer, refusal.Reason.Word() } };
        if (refusal.Reason.IsTransient())
            trailers.Add(ProtocolLimits.RetryAfterTrailer, RetryAfter.TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
        return new(new Status(refusal.Reason.Status(), Detail(refusal.Message)), trailers);
    }

    /// <summary>Printable ASCII of at most 512 bytes once percent-encoded.</summary>
    internal static string Detail(string message)
    {
        StringBuilder text = new();
        int length = 0;
        foreach (char c in message)
        {
            char safe = c is >= ' ' and <= '~' ? c : '?';
            length += safe == '%' ? 3 : 1;
            if (length > LongestDetail)
                break;
            text.Append(safe);
        }

        return text.ToString();
    }

    private static async Task<bool> Plain(Task call)
    {
        await call;
        return true;
    }

    private RpcException Refuse(ServerCallContext context, FederatedException refusal)
    {
        log.LogInformation("{Method} from {Peer} refused: {Reason}, {Detail}", context.Method, context.Peer, refusal.Reason.Word(), Detail(refusal.Message));
        return ToStatus(refusal);
    }

    private async Task<TResponse> Guard<TResponse>(ServerCallContext context, Func<Task<TResponse>> call)
    {
        try
        {
            return await call();
        }
        catch (FederatedException refusal)
        {
            throw Refuse(context, refusal);
        }
        catch (FlushFailedException e)
        {
            fatal.Stop(e);
            throw Refuse(context, new(RejectReason.Stopping, "The coordinator's disk failed; it stops. Try again when it is back.", e));
        }
        catch (IOException e) when (DiskErrors.IsFull(e))
        {
            throw Refuse(context, new(RejectReason.StorageFull, "The coordinator's disk is full: nothing was stored. The same call is worth another try later.", e));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Refuse(context, new(RejectReason.Malformed, "A message of the call does not parse. Agent and coordinator may be of different versions.", e));
        }
        catch (RpcException)
        {
            throw;
        }
        catch (Exception) when (context.CancellationToken.IsCancellationRequested)
        {
            // The caller is gone or its deadline has passed: what failed on the way down is no error of ours.
            throw new RpcException(new Status(StatusCode.Cancelled, "The call was cancelled."));
        }
        catch (Exception e)
        {
            long number = Interlocked.Increment(ref _errors);
            WireErrors.MarkAsOurs(context.GetHttpContext());
            log.LogError(e, "error {Number} in {Method} from {Peer}", number, context.Method, context.Peer);
            throw new RpcException(new Status(StatusCode.Internal, $"Error {number} in the coordinator; its log says more under this number."));
        }
    }
}
