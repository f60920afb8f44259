using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Tests.Support;

/// <summary>What a refusal looks like from outside.</summary>
internal static class Refusals
{
    /// <summary>Asserts that a call is refused for a reason, with the status that goes with it and a detail that is safe to show.</summary>
    public static async Task<RpcException> RefusedAsync(RejectReason reason, Func<Task> call)
    {
        RpcException error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.Equal((reason.Word(), reason.Status()), (error.Trailers.GetValue(ProtocolLimits.ReasonTrailer), error.StatusCode));
        Assert.All(error.Status.Detail, c => Assert.InRange(c, ' ', '~'));
        Assert.InRange(error.Status.Detail.Length, 20, 512);
        Assert.Equal(reason.IsTransient(), error.Trailers.GetValue(ProtocolLimits.RetryAfterTrailer) is not null);
        return error;
    }
}
