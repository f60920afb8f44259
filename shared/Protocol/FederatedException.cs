namespace Federated.Shared.Protocol;

/// <summary>A refusal with a machine-readable reason and a message that says what, where, got, wanted and the way out.</summary>
/// <remarks>The message goes to the peer: it holds our own names, counts and lengths, never bytes of untrusted input.</remarks>
public sealed class FederatedException : Exception
{
    /// <summary>Refuses for <paramref name="reason"/>.</summary>
    public FederatedException(RejectReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>Why.</summary>
    public RejectReason Reason { get; }
}
