using System.Buffers;
using System.Collections.Concurrent;
using System.IO.Pipelines;
using Federated.Coordinator.Rounds;
using Microsoft.AspNetCore.Connections;

namespace Federated.Coordinator.Endpoints;

/// <summary>Counts the bytes that go over each connection's socket, framing, headers and TLS included, for the site that shows its token on it.</summary>
internal sealed class WireMeter
{
    private readonly ConcurrentDictionary<string, Counter> _sites = new(StringComparer.Ordinal);

    /// <summary>Connection middleware: put it before TLS, next to the socket.</summary>
    public ConnectionDelegate Measure(ConnectionDelegate next) => async connection =>
    {
        ConnectionCount count = new(this);
        connection.Features.Set(count);
        connection.Transport = new MeteredPipe(connection.Transport, count);
        await next(connection);
    };

    /// <summary>From now on the connection of a call counts for <paramref name="site"/>, and so does what it carried before.</summary>
    public static void Attribute(HttpContext call, string site) => call.Features.Get<ConnectionCount>()?.BelongsTo(site);

    /// <summary>Bytes of a site since the process started.</summary>
    public SiteTraffic Read(string site) => _sites.TryGetValue(site, out Counter? counter) ? counter.Read() : default;

    private sealed class Counter
    {
        private long _received;
        private long _sent;

        public void Add(long received, long sent)
        {
            Interlocked.Add(ref _received, received);
            Interlocked.Add(ref _sent, sent);
        }

        public SiteTraffic Read() => new(Interlocked.Read(ref _received), Interlocked.Read(ref _sent));
    }

    /// <summary>One connection's account; its bytes go to nobody until a site shows its token.</summary>
    private sealed class ConnectionCount(WireMeter meter)
    {
        private volatile Counter _counter = new();
        private volatile string? _site;

        public void Add(long received, long sent) => _counter.Add(received, sent);

        public void BelongsTo(string site)
        {
            if (string.Equals(_site, site, StringComparison.Ordinal))
                return;

            lock (this)
            {
                Counter counter = meter._sites.GetOrAdd(site, static _ => new());
                Counter before = _counter;
                _counter = counter;
                if (_site is null)
                {
                    SiteTraffic unowned = before.Read();
                    counter.Add(unowned.Received, unowned.Sent);
                }

                _site = site;
            }
        }
    }

    private sealed class MeteredPipe(IDuplexPipe inner, ConnectionCount count) : IDuplexPipe
    {
        public PipeReader Input { get; } = new MeteredReader(inner.Input, count);

        public PipeWriter Output { get; } = new MeteredWriter(inner.Output, count);
    }

    private sealed class MeteredReader(PipeReader inner, ConnectionCount count) : PipeReader
    {
        private ReadOnlySequence<byte> _buffer;

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            count.Add(_buffer.Slice(_buffer.Start, consumed).Length, 0);
            inner.AdvanceTo(consumed, examined);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            ReadResult result = await inner.ReadAsync(cancellationToken);
            _buffer = result.Buffer;
            return result;
        }

        public override bool TryRead(out ReadResult result)
        {
            bool read = inner.TryRead(out result);
            _buffer = result.Buffer;
            return read;
        }
    }

    private sealed class MeteredWriter(PipeWriter inner, ConnectionCount count) : PipeWriter
    {
        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

        public override long UnflushedBytes => inner.UnflushedBytes;

        public override void Advance(int bytes)
        {
            count.Add(0, bytes);
            inner.Advance(bytes);
        }

        public override void CancelPendingFlush() => inner.CancelPendingFlush();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);

        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => inner.FlushAsync(cancellationToken);

        public override Memory<byte> GetMemory(int sizeHint = 0) => inner.GetMemory(sizeHint);

        public override Span<byte> GetSpan(int sizeHint = 0) => inner.GetSpan(sizeHint);

        public override async ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            count.Add(0, source.Length);
            return await inner.WriteAsync(source, cancellationToken);
        }
    }
}
