namespace Federated.Compat.Grpc.Tests.Probe;

/// <summary>A running server of the transport service, whatever it is written in.</summary>
public interface ICallServer
{
    /// <summary>A client with the packages' defaults.</summary>
    Transport.TransportClient Client { get; }
}
