using Federated.Shared.Protocol;
using Grpc.Core;
using Grpc.Health.V1;

namespace Federated.Coordinator.Endpoints;

/// <summary>The standard health checks, for load balancers and probes: of the whole process (empty name) and of each service.</summary>
internal sealed class HealthService(Readiness readiness, IHostApplicationLifetime lifetime) : Health.HealthBase
{
    private static readonly string[] Known = ["", Federation.Descriptor.FullName, Operations.Descriptor.FullName];

    /// <inheritdoc/>
    public override Task<HealthCheckResponse> Check(HealthCheckRequest request, ServerCallContext context) =>
        Status(request.Service) is var status && status == HealthCheckResponse.Types.ServingStatus.ServiceUnknown
            ? throw new RpcException(new Status(StatusCode.NotFound, $"No service of that name here; known: {string.Join(", ", Known[1..])}."))
            : Task.FromResult(new HealthCheckResponse { Status = status });

    /// <inheritdoc/>
    public override async Task Watch(HealthCheckRequest request, IServerStreamWriter<HealthCheckResponse> responseStream, ServerCallContext context)
    {
        using CancellationTokenSource end = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken, lifetime.ApplicationStopped);
        while (!end.IsCancellationRequested)
        {
            Task changed = readiness.Changes.Next;
            await responseStream.WriteAsync(new() { Status = Status(request.Service) }, end.Token);
            if (lifetime.ApplicationStopping.IsCancellationRequested)
                return;

            using CancellationTokenSource wake = CancellationTokenSource.CreateLinkedTokenSource(end.Token, lifetime.ApplicationStopping);
            await changed.WaitAsync(wake.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private HealthCheckResponse.Types.ServingStatus Status(string service)
    {
        if (!Known.Contains(service, StringComparer.Ordinal))
            return HealthCheckResponse.Types.ServingStatus.ServiceUnknown;
        return readiness.IsReady && !lifetime.ApplicationStopping.IsCancellationRequested ? HealthCheckResponse.Types.ServingStatus.Serving : HealthCheckResponse.Types.ServingStatus.NotServing;
    }
}
