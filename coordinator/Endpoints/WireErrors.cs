using System.Globalization;
using Federated.Shared.Protocol;
using Grpc.Core;
using Microsoft.AspNetCore.Http.Features;

namespace Federated.Coordinator.Endpoints;

/// <summary>Bytes that are no message fail in the gRPC library, below our code, and it answers Internal or Unknown, which mean a bug of ours. Here they become what they are.</summary>
internal static class WireErrors
{
    private const string Status = "grpc-status";
    private const string Message = "grpc-message";

    private static readonly string[] Bugs = [Text(StatusCode.Internal), Text(StatusCode.Unknown)];

    private static readonly object Ours = new();

    /// <summary>Marks a call that failed by a bug of ours: its status stays.</summary>
    public static void MarkAsOurs(HttpContext call) => call.Items[Ours] = true;

    /// <summary>Middleware: maps the status of a call whose bytes did not parse.</summary>
    public static async Task Map(HttpContext call, RequestDelegate next)
    {
        await next(call);
        if (call.Items.ContainsKey(Ours))
            return;

        if (!call.Response.HasStarted)
            Rewrite(call.Response.Headers);
        else if (call.Features.Get<IHttpResponseTrailersFeature>()?.Trailers is { IsReadOnly: false } trailers)
            Rewrite(trailers);
    }

    private static void Rewrite(IHeaderDictionary headers)
    {
        if (!headers.TryGetValue(Status, out var status) || !Bugs.Contains(status.ToString(), StringComparer.Ordinal))
            return;

        headers[Status] = Text(RejectReason.Malformed.Status());
        headers[Message] = "The bytes of the call are no message of this protocol. Agent and coordinator may be of different versions.";
        headers[ProtocolLimits.ReasonTrailer] = RejectReason.Malformed.Word();
    }

    private static string Text(StatusCode status) => ((int)status).ToString(CultureInfo.InvariantCulture);
}
