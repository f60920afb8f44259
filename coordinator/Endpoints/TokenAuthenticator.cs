using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Endpoints;

/// <summary>Callers by the bearer token in <c>authorization</c>.</summary>
internal sealed class TokenAuthenticator(TokenFile tokens) : ISiteAuthenticator
{
    private const string Scheme = "Bearer ";
    private const int LongestToken = 512;

    /// <inheritdoc/>
    public Caller? Authenticate(ServerCallContext call)
    {
        string? header = call.RequestHeaders.GetValue("authorization");
        if (header is null)
            return null;
        if (header.Length <= LongestToken && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            && tokens.Find(header[Scheme.Length..].Trim()) is { } caller)
        {
            return caller;
        }

        throw new FederatedException(RejectReason.NoIdentity,
            $"The token (authorization header of {header.Length} characters) is none that this coordinator issued. Give the file that 'coordinator token' wrote for this site.");
    }
}
