using Google.Protobuf;
using Grpc.Core;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>
/// The server's half of the transport tests. Request headers named <c>echo-*</c> come back as response headers, sent before
/// anything else, and as trailers.
/// </summary>
public sealed class TransportService(Meetings meetings) : Transport.TransportBase
{
    public override async Task<Answer> Unary(Ask request, ServerCallContext context)
    {
        await EchoHeadersAsync(context);
        await BehaveAsync(request, context);
        Answer answer = Seen(context);
        answer.Text = request.Text;
        answer.Payload = request.Size > 0 ? Bytes(request) : request.Payload;
        return answer;
    }

    public override async Task<Answer> Upload(IAsyncStreamReader<Ask> requestStream, ServerCallContext context)
    {
        await EchoHeadersAsync(context);
        Answer answer = Seen(context);
        await foreach (Ask ask in requestStream.ReadAllAsync(context.CancellationToken))
        {
            if (answer.Messages >= ask.Count)
                await BehaveAsync(ask, context);
            answer.Messages++;
            answer.Bytes += ask.Payload.Length;
        }

        return answer;
    }

    public override async Task Download(Ask request, IServerStreamWriter<Answer> responseStream, ServerCallContext context)
    {
        await EchoHeadersAsync(context);
        Meeting meeting = meetings[request.Id];
        ByteString payload = Bytes(request);
        try
        {
            for (int i = 0; i < request.Count; i++)
            {
                await responseStream.WriteAsync(new Answer { Messages = i, Payload = payload }, context.CancellationToken);
                meeting.CountWritten();
            }
        }
        catch (Exception) when (context.CancellationToken.IsCancellationRequested)
        {
            // The write may fail before the token is looked at: either way the handler knows that nobody listens.
            await meeting.WaitAsync(context.CancellationToken);
        }

        await BehaveAsync(request, context);
    }

    public override async Task Chat(IAsyncStreamReader<Ask> requestStream, IServerStreamWriter<Answer> responseStream, ServerCallContext context)
    {
        await EchoHeadersAsync(context);
        int messages = 0;
        await foreach (Ask ask in requestStream.ReadAllAsync(context.CancellationToken))
        {
            if (messages >= ask.Count)
                await BehaveAsync(ask, context);
            await responseStream.WriteAsync(new Answer { Text = ask.Text, Payload = ask.Payload, Messages = ++messages }, context.CancellationToken);
        }
    }

    public override async Task<MeetReply> Meet(MeetRequest request, ServerCallContext context)
    {
        Meeting meeting = meetings[request.Id];
        if (request.Point == Point.Release)
            meeting.Release();
        if (request.Point == Point.Started)
            await meeting.Started.WaitAsync(context.CancellationToken);
        if (request.Point == Point.Cancelled)
            await meeting.Cancelled.WaitAsync(context.CancellationToken);
        return new MeetReply { Started = meeting.Started.IsCompleted, Written = meeting.Written };
    }

    private static ByteString Bytes(Ask ask)
    {
        byte[] bytes = new byte[ask.Size];
        if (ask.Noise)
            new Random(1).NextBytes(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static Answer Seen(ServerCallContext context)
    {
        Answer answer = new()
        {
            Encoding = context.GetHttpContext().Request.Headers["grpc-encoding"].ToString(),
            Deadline = context.Deadline != DateTime.MaxValue,
            Authenticated = context.AuthContext.IsPeerAuthenticated,
            Authorization = context.RequestHeaders.GetValue("authorization") ?? "",
        };
        answer.Identity.AddRange(context.AuthContext.PeerIdentity.Select(property => $"{property.Name}={property.Value}"));
        return answer;
    }

    private static async Task EchoHeadersAsync(ServerCallContext context)
    {
        Metadata echoed = [];
        foreach (Metadata.Entry entry in context.RequestHeaders.Where(entry => entry.Key.StartsWith("echo-", StringComparison.Ordinal)))
        {
            echoed.Add(entry);
            context.ResponseTrailers.Add(entry);
        }

        if (echoed.Count > 0)
            await context.WriteResponseHeadersAsync(echoed);
    }

    private Task BehaveAsync(Ask ask, ServerCallContext context) => ask.Behaviour switch
    {
        Behaviour.Fail => throw new RpcException(
            new Status((StatusCode)ask.Status, ask.Text), new Metadata { { "reason", "asked-to" }, { "proof-bin", [0, 255, 1] } }),
        Behaviour.Crash => throw new InvalidOperationException("a secret of the server"),
        Behaviour.Wait => meetings[ask.Id].WaitAsync(context.CancellationToken),
        _ => Task.CompletedTask,
    };
}
