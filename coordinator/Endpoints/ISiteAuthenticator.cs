using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>What a caller may do.</summary>
internal enum CallerRole
{
    /// <summary>Trains: the calls of <c>Federation</c>.</summary>
    Site,

    /// <summary>Watches: the calls of <c>Operations</c>.</summary>
    Operator,
}

/// <summary>Who calls.</summary>
/// <param name="Name">Name of the site or operator.</param>
/// <param name="Role">What it may do.</param>
internal sealed record Caller(string Name, CallerRole Role);

/// <summary>Says who makes a call. Tokens today; certificates of an enrolment go here and nowhere else.</summary>
internal interface ISiteAuthenticator
{
    /// <summary>The caller; null when it shows nothing that names one.</summary>
    /// <exception cref="Shared.Protocol.FederatedException"><see cref="Shared.Protocol.RejectReason.NoIdentity"/>: it shows something, and nobody here issued it.</exception>
    Caller? Authenticate(ServerCallContext call);
}
