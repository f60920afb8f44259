using System.Buffers.Binary;
using System.Net;
using System.Net.Http.Headers;
using Google.Protobuf;

namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>What came back: headers, the body's bytes, trailers.</summary>
public sealed record RawReply(HttpStatusCode Http, HttpResponseHeaders Headers, byte[] Body, HttpResponseHeaders Trailers)
{
    /// <summary><c>grpc-status</c>, from the headers when the reply is trailers only.</summary>
    public string? Status => Value("grpc-status");

    /// <summary><c>grpc-message</c>, percent-decoded.</summary>
    public string? Message => Value("grpc-message") is { } text ? Uri.UnescapeDataString(text) : null;

    private string? Value(string name) =>
        Trailers.TryGetValues(name, out IEnumerable<string>? values) || Headers.TryGetValues(name, out values) ? values.Single() : null;
}

/// <summary>Sends what a gRPC client would not: bytes as given, over HTTP/2 without TLS.</summary>
public sealed class RawClient(Uri server) : IDisposable
{
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>Flag byte, length, message.</summary>
    public static byte[] Frame(byte flag, IMessage message) => Frame(flag, message.ToByteArray());

    public static byte[] Frame(byte flag, byte[] payload, uint? announced = null)
    {
        byte[] frame = new byte[5 + payload.Length];
        frame[0] = flag;
        BinaryPrimitives.WriteUInt32BigEndian(frame.AsSpan(1), announced ?? (uint)payload.Length);
        payload.CopyTo(frame, 5);
        return frame;
    }

    public async Task<RawReply> PostAsync(string method, byte[] body, params (string Name, string Value)[] headers)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(server, $"/federated.tests.v1.Transport/{method}"))
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new ByteArrayContent(body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/grpc");
        request.Headers.TE.Add(new TransferCodingWithQualityHeaderValue("trailers"));
        foreach ((string name, string value) in headers)
        {
            if (name == "content-type")
                request.Content.Headers.ContentType = new MediaTypeHeaderValue(value);
            else
                request.Headers.TryAddWithoutValidation(name, value);
        }

        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        byte[] received = await response.Content.ReadAsByteArrayAsync();
        return new RawReply(response.StatusCode, response.Headers, received, response.TrailingHeaders);
    }

    public void Dispose() => _http.Dispose();
}
