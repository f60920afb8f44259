using Grpc.Core;

namespace Federated.Shared.Protocol;

/// <summary>Why the coordinator refused a call; travels as the code word of the trailer <c>fl-reason</c>.</summary>
public enum RejectReason
{
    /// <summary>No token, or one that nobody here issued.</summary>
    NoIdentity,
    /// <summary>A site that this run does not list or did not draw.</summary>
    NotInCohort,
    /// <summary>The caller's role may not call this method.</summary>
    Role,
    /// <summary>The site in the message differs from the caller's identity.</summary>
    IdentityMismatch,
    /// <summary>No run of that name.</summary>
    NoSuchRun,
    /// <summary>No blob with that hash.</summary>
    NoSuchBlob,
    /// <summary>A run, site or tensor name that breaks the rule for names.</summary>
    BadName,
    /// <summary>A message or record that does not parse.</summary>
    Malformed,
    /// <summary>A compressed message where only plain ones are taken.</summary>
    Encoding,
    /// <summary>A message over its limit.</summary>
    MessageTooLarge,
    /// <summary>Fewer or more bytes than announced.</summary>
    LengthMismatch,
    /// <summary>The bytes do not have the announced SHA-256.</summary>
    DigestMismatch,
    /// <summary>A tensor container whose header is wrong.</summary>
    BadHeader,
    /// <summary>A tensor with another shape than the plan's.</summary>
    BadShape,
    /// <summary>A tensor with another element type than the plan's.</summary>
    BadDType,
    /// <summary>Tensors that overlap, leave gaps or do not end with the file.</summary>
    BadOffsets,
    /// <summary>Tensors missing, surplus or doubled.</summary>
    BadTensorSet,
    /// <summary>NaN or infinity in a tensor.</summary>
    NotFinite,
    /// <summary>The update's norm is above the plan's cap.</summary>
    NormCap,
    /// <summary>A weight that is not positive, or above what the site registered.</summary>
    BadWeight,
    /// <summary>An update for a round or attempt that is not the open one.</summary>
    WrongAttempt,
    /// <summary>The round closed before the update was complete.</summary>
    RoundClosed,
    /// <summary>A second, different update under the same key.</summary>
    ConflictingUpdate,
    /// <summary>A peer that speaks another version of the contract.</summary>
    ProtocolVersion,
    /// <summary>The disk is below its watermark or full.</summary>
    StorageFull,
    /// <summary>The coordinator is starting and replaying its journal.</summary>
    Recovering,
    /// <summary>The coordinator is stopping.</summary>
    Stopping,
    /// <summary>Too many calls or bytes at once.</summary>
    Busy,
    /// <summary>Another task stream of the same site took over: two agents use one token.</summary>
    Replaced,
}

/// <summary>How a reason looks on the wire.</summary>
public static class RejectReasons
{
    private static readonly Dictionary<string, RejectReason> ByWord =
        Enum.GetValues<RejectReason>().ToDictionary(Word, StringComparer.Ordinal);

    /// <summary>The code word, for example <c>NOT_FINITE</c>.</summary>
    public static string Word(this RejectReason reason) => reason switch
    {
        RejectReason.BadDType => "BAD_DTYPE",
        _ => string.Concat(reason.ToString().Select((c, i) => i > 0 && char.IsUpper(c) ? "_" + c : char.ToUpperInvariant(c).ToString())),
    };

    /// <summary>Reads a code word; null when it is none of ours.</summary>
    public static RejectReason? Parse(string? word) => word is not null && ByWord.TryGetValue(word, out RejectReason reason) ? reason : null;

    /// <summary>The gRPC status that goes with a reason.</summary>
    public static StatusCode Status(this RejectReason reason) => reason switch
    {
        RejectReason.NoIdentity => StatusCode.Unauthenticated,
        RejectReason.NotInCohort or RejectReason.Role or RejectReason.IdentityMismatch => StatusCode.PermissionDenied,
        RejectReason.NoSuchRun or RejectReason.NoSuchBlob => StatusCode.NotFound,
        RejectReason.DigestMismatch => StatusCode.DataLoss,
        RejectReason.Encoding => StatusCode.Unimplemented,
        RejectReason.WrongAttempt or RejectReason.Replaced => StatusCode.Aborted,
        RejectReason.RoundClosed or RejectReason.ProtocolVersion => StatusCode.FailedPrecondition,
        RejectReason.ConflictingUpdate => StatusCode.AlreadyExists,
        RejectReason.MessageTooLarge or RejectReason.StorageFull or RejectReason.Busy => StatusCode.ResourceExhausted,
        RejectReason.Recovering or RejectReason.Stopping => StatusCode.Unavailable,
        _ => StatusCode.InvalidArgument,
    };

    /// <summary>True when the same call may succeed later: the caller backs off and sends the same bytes again.</summary>
    public static bool IsTransient(this RejectReason reason) => reason is
        RejectReason.DigestMismatch or RejectReason.LengthMismatch or RejectReason.StorageFull or RejectReason.Busy
        or RejectReason.Recovering or RejectReason.Stopping;
}
