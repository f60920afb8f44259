using System.Diagnostics;
using System.Globalization;
using Federated.Compat.Grpc.Tests.Probe;
using Grpc.Net.Client;

namespace Federated.Compat.Grpc.Tests.Python;

/// <summary>The transport service served by python grpcio.</summary>
public class PythonServer : ICallServer, IAsyncLifetime
{
    private Process? _process;
    private GrpcChannel? _channel;
    private Task<string>? _errors;

    public Transport.TransportClient Client { get; private set; } = null!;

    protected virtual string ReplyEncoding => "none";

    public async Task InitializeAsync()
    {
        _process = PythonPeer.Start("server.py", PythonPeer.Descriptor, ReplyEncoding);
        _errors = _process.StandardError.ReadToEndAsync();
        string? port = await _process.StandardOutput.ReadLineAsync();
        if (port is null)
            throw PythonPeer.Failure("server.py", await _errors);
        _channel = GrpcChannel.ForAddress(
            $"http://127.0.0.1:{int.Parse(port, CultureInfo.InvariantCulture)}",
            new GrpcChannelOptions { HttpHandler = new SocketsHttpHandler { UseProxy = false, EnableMultipleHttp2Connections = true }, DisposeHttpClient = true });
        Client = new Transport.TransportClient(_channel);
    }

    public async Task DisposeAsync()
    {
        _channel?.Dispose();
        if (_process is null)
            return;
        _process.StandardInput.Close();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }
}

/// <summary>Answers with gzip.</summary>
public sealed class PythonGzipServer : PythonServer
{
    protected override string ReplyEncoding => "gzip";
}
