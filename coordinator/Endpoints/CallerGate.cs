using System.Net;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>Lets a call in: the coordinator is ready, the caller known, of the right role, and not too busy.</summary>
internal sealed class CallerGate(ISiteAuthenticator authenticator, Readiness readiness, CallBudget budget)
{
    /// <summary>The site that makes a call.</summary>
    /// <exception cref="FederatedException">Not ready, no identity, wrong role, or too many calls.</exception>
    public string DemandSite(ServerCallContext call)
    {
        readiness.Demand();
        Caller caller = authenticator.Authenticate(call) ?? throw new FederatedException(RejectReason.NoIdentity,
            "The call carries no token. Send the metadata entry 'authorization: Bearer <token>'.");
        if (caller.Role != CallerRole.Site)
            throw new FederatedException(RejectReason.Role, "An operator's token cannot train. Use the token of a site.");

        budget.Spend(caller.Name);
        WireMeter.Attribute(call.GetHttpContext(), caller.Name);
        return caller.Name;
    }

    /// <summary>Checks that the caller may watch: an operator, or anyone on this machine who shows no other identity.</summary>
    /// <exception cref="FederatedException">It may not.</exception>
    public void DemandOperator(ServerCallContext call)
    {
        readiness.Demand();
        Caller? caller = authenticator.Authenticate(call);
        if (caller?.Role == CallerRole.Operator)
            return;
        if (caller is not null)
            throw new FederatedException(RejectReason.Role, "A site's token cannot watch. Use the token of an operator ('coordinator token --operator NAME').");

        if (call.GetHttpContext().Connection.RemoteIpAddress is not { } address || !IPAddress.IsLoopback(address))
            throw new FederatedException(RejectReason.NoIdentity, "Watching from another machine needs an operator's token ('coordinator token --operator NAME').");
    }
}
