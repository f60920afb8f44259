using System.Security.Cryptography;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>What an agent is told on its command line.</summary>
public sealed record AgentOptions
{
    /// <summary>Address of the coordinator: https, or http when it is this machine.</summary>
    public required Uri Coordinator { get; init; }

    /// <summary>File that holds the site's token; read again at every connection, so that it can be replaced.</summary>
    public required string TokenFile { get; init; }

    /// <summary>The private data: JSONL or CSV with the columns <c>text</c> and <c>label</c>, or images by class. It never leaves the machine.</summary>
    public required string Data { get; init; }

    /// <summary>Folder for downloads and for updates that are not yet accepted; made when missing, only for this user.</summary>
    public required string State { get; init; }

    /// <summary>Runs to take part in; empty means every run that lists the site.</summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>PEM file with the certificate authority that signed the coordinator's certificate; null trusts the system's.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Threads for training.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Bytes of downloads to keep; above that, those not used for longest go. What a round needs stays in any case.</summary>
    public long CacheBytes { get; init; } = 20L << 30;

    /// <summary>Stop when all runs that the agent takes part in have finished.</summary>
    public bool ExitWhenFinished { get; init; }

    /// <summary>Everything that is wrong, each with the option, the value and the way out; empty when the agent can start.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        if (!Coordinator.IsAbsoluteUri || Coordinator.Scheme is not ("http" or "https"))
            errors.Add($"--coordinator is '{Coordinator}'; an address such as https://coordinator.example.org:7443 was expected.");
        else if (Coordinator.Scheme == "http" && !Coordinator.IsLoopback)
            errors.Add($"--coordinator is '{Coordinator}': plain text would show the token and the updates to the network. Use https, or http only for 127.0.0.1, [::1] or localhost.");
        else if (Coordinator.Scheme == "http" && CertificateAuthority is not null)
            errors.Add($"--ca is given, but --coordinator is '{Coordinator}', which has no certificate. Use https, or leave --ca out.");

        Try("--token-file", TokenFile, path => CoordinatorChannel.ReadToken(path), "The coordinator's operator makes one with: coordinator token --site NAME.");
        if (!File.Exists(Data) && !Directory.Exists(Data))
            errors.Add($"--data '{Data}' does not exist; a .jsonl or .csv file with 'text' and 'label', or images by class, were expected.");
        if (CertificateAuthority is not null)
            Try("--ca", CertificateAuthority, path => CoordinatorChannel.ReadAuthorities(path), "A PEM file with the authority's certificate was expected.");
        if (Threads < 1)
            errors.Add($"--threads is {Threads}; 1 or more was expected.");
        if (CacheBytes < 0)
            errors.Add("--cache-gib is no amount of GiB; 0 to 1048576 was expected.");
        foreach (string run in Runs.Where(run => !Names.IsValid(run)))
            errors.Add($"--run '{run}' is no run name: {Names.Rule}.");

        return errors;

        void Try(string option, string path, Action<string> read, string wayOut)
        {
            try
            {
                read(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException or CryptographicException)
            {
                errors.Add($"{option} '{path}': {e.Message} {wayOut}");
            }
        }
    }
}
