namespace Federated.Shared.Tensors;

/// <summary>Why a tensor file or header was refused; the wire's reason words map one to one.</summary>
public enum TensorFormatReason
{
    /// <summary>The length prefix or the JSON header is malformed or beyond a limit.</summary>
    BadHeader,

    /// <summary>A shape is malformed, beyond a limit, overflows, or is not the one expected.</summary>
    BadShape,

    /// <summary>An element type is unknown or not the one expected.</summary>
    BadDType,

    /// <summary>Offsets are negative, overlap, leave a gap, or disagree with shape and element type.</summary>
    BadOffsets,

    /// <summary>A tensor is missing, unexpected, or declared twice.</summary>
    BadTensorSet,

    /// <summary>The bytes end early or go on after the last tensor.</summary>
    LengthMismatch,
}

/// <summary>A tensor file, header or container that breaks the format; the message says where, got, wanted.</summary>
public sealed class TensorFormatException : FormatException
{
    /// <summary>Makes the error.</summary>
    /// <param name="reason">Machine-readable cause.</param>
    /// <param name="message">What, where, got, wanted, way out.</param>
    /// <param name="inner">The parser's own error, if any.</param>
    public TensorFormatException(TensorFormatReason reason, string message, Exception? inner = null)
        : base(message, inner) => Reason = reason;

    /// <summary>Machine-readable cause.</summary>
    public TensorFormatReason Reason { get; }
}
