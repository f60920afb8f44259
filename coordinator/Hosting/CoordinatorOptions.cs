using System.Security.Cryptography.X509Certificates;
using Federated.Coordinator.Endpoints;
using Federated.Coordinator.RunFiles;
using Federated.Coordinator.Store;

namespace Federated.Coordinator.Hosting;

/// <summary>What a coordinator serves, and where.</summary>
internal sealed record CoordinatorOptions
{
    /// <summary>Runs, checked.</summary>
    public required IReadOnlyList<RunFile> Runs { get; init; }

    /// <summary>Folder of the state.</summary>
    public required string State { get; init; }

    /// <summary>Addresses to listen on.</summary>
    public required IReadOnlyList<ListenAddress> Listen { get; init; }

    /// <summary>Accepted tokens.</summary>
    public required TokenFile Tokens { get; init; }

    /// <summary>The server's certificate; needed when an address wants TLS.</summary>
    public X509Certificate2? Certificate { get; init; }

    /// <summary>Stop when every run has ended.</summary>
    public bool ExitWhenFinished { get; init; }

    /// <summary>File that receives the bound addresses, one a line, once calls are taken; null for none.</summary>
    public string? EndpointFile { get; init; }
}

/// <summary>What lies behind the coordinator's seams: a test or a simulator puts its own there.</summary>
internal sealed record CoordinatorSeams
{
    /// <summary>Time.</summary>
    public TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>Disk.</summary>
    public IDisk Disk { get; init; } = new SystemDisk();

    /// <summary>Opens the journal at a path.</summary>
    public Func<string, TimeProvider, IJournal> OpenJournal { get; init; } = SqliteJournal.Open;

    /// <summary>Places where the process may be killed.</summary>
    public FailPoints FailPoints { get; init; } = FailPoints.None;

    /// <summary>Where log lines go.</summary>
    public Action<ILoggingBuilder> Logging { get; init; } = static _ => { };
}
