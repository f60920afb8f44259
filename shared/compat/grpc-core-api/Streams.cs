namespace Grpc.Core;

/// <summary>Messages that arrive.</summary>
public interface IAsyncStreamReader<out T>
{
    /// <summary>The message the last <see cref="MoveNext"/> found.</summary>
    T Current { get; }

    /// <summary>Waits for the next message; false at the end of the stream.</summary>
    Task<bool> MoveNext(CancellationToken cancellationToken);
}

/// <summary>Messages to send, one at a time.</summary>
public interface IAsyncStreamWriter<in T>
{
    /// <summary>Sends one message; completes when the transport takes more.</summary>
    Task WriteAsync(T message);

    /// <summary>As <see cref="WriteAsync(T)"/>; writers that can cancel override this.</summary>
    /// <exception cref="NotSupportedException">The token can be cancelled and this writer cannot cancel.</exception>
    Task WriteAsync(T message, CancellationToken cancellationToken) =>
        cancellationToken.CanBeCanceled
            ? throw new NotSupportedException("This stream writer cannot cancel a write.")
            : WriteAsync(message);

    /// <summary>For the messages from here on; null is the default.</summary>
    WriteOptions? WriteOptions { get; set; }
}

/// <summary>The request stream as the client writes it.</summary>
public interface IClientStreamWriter<in T> : IAsyncStreamWriter<T>
{
    /// <summary>Ends the request stream.</summary>
    Task CompleteAsync();
}

/// <summary>The response stream as the server writes it; it ends when the handler returns.</summary>
public interface IServerStreamWriter<in T> : IAsyncStreamWriter<T>
{
}

/// <summary>Reading without a token.</summary>
public static class AsyncStreamReaderExtensions
{
    /// <summary>Waits for the next message; false at the end of the stream.</summary>
    public static Task<bool> MoveNext<T>(this IAsyncStreamReader<T> streamReader)
        where T : class
    {
        ArgumentNullException.ThrowIfNull(streamReader);
        return streamReader.MoveNext(CancellationToken.None);
    }
}
