using Federated.Coordinator.Store;

namespace Federated.Coordinator.Rounds;

/// <summary>What the loops of all runs act through.</summary>
/// <param name="Clock">Time.</param>
/// <param name="Journal">Durable facts.</param>
/// <param name="Blobs">Durable content.</param>
/// <param name="Links">Sites.</param>
/// <param name="Exporter">Results for people.</param>
/// <param name="Changes">Told after every change of any run.</param>
/// <param name="FailPoints">Where a test may kill the process.</param>
/// <param name="Log">Log of the rounds.</param>
internal sealed record RunServices(
    TimeProvider Clock,
    IJournal Journal,
    BlobStore Blobs,
    ISiteLinks Links,
    AdapterExporter Exporter,
    ChangeSignal Changes,
    FailPoints FailPoints,
    ILogger Log);
