namespace Federated.Client.Agent;

/// <summary>What an agent is told on its command line.</summary>
public sealed record AgentOptions
{
    /// <summary>Address of the coordinator: https, or http when it is this machine.</summary>
    public required Uri Coordinator { get; init; }

    /// <summary>File that holds the site's token; read again at every connection, so that it can be replaced.</summary>
    public required string TokenFile { get; init; }

    /// <summary>The private data: JSONL or CSV with the columns <c>text</c> and <c>label</c>. It never leaves the machine.</summary>
    public required string Data { get; init; }

    /// <summary>Folder for downloads and for updates that are not yet accepted; made when missing, only for this user.</summary>
    public required string State { get; init; }

    /// <summary>Runs to take part in; empty means every run that lists the site.</summary>
    public IReadOnlyList<string> Runs { get; init; } = [];

    /// <summary>PEM file with the certificate authority that signed the coordinator's certificate; null trusts the system's.</summary>
    public string? CertificateAuthority { get; init; }

    /// <summary>Threads for training.</summary>
    public int Threads { get; init; } = Environment.ProcessorCount;

    /// <summary>Stop when all runs that the agent takes part in have finished.</summary>
    public bool ExitWhenFinished { get; init; }

    /// <summary>Everything that is wrong, each with the option, the value and the way out; empty when the agent can start.</summary>
    public IReadOnlyList<string> Validate()
    {
        List<string> errors = [];
        if (Coordinator.Scheme is not ("http" or "https"))
            errors.Add($"--coordinator is '{Coordinator}'; an address such as https://coordinator.example.org:7443 was expected.");
        else if (Coordinator.Scheme == "http" && !Coordinator.IsLoopback)
            errors.Add($"--coordinator is '{Coordinator}': plain text would show the token and the updates to the network. Use https, or http only for 127.0.0.1, [::1] or localhost.");

        if (!File.Exists(TokenFile))
            errors.Add($"--token-file '{TokenFile}' does not exist. The coordinator's operator makes one with: coordinator token --site NAME.");
        if (!File.Exists(Data))
            errors.Add($"--data '{Data}' does not exist; a .jsonl or .csv file with 'text' and 'label' was expected.");
        if (CertificateAuthority is not null && !File.Exists(CertificateAuthority))
            errors.Add($"--ca '{CertificateAuthority}' does not exist; a PEM file was expected.");
        if (Threads < 1)
            errors.Add($"--threads is {Threads}; 1 or more was expected.");
        foreach (string run in Runs.Where(run => !Shared.Protocol.Names.IsValid(run)))
            errors.Add($"--run '{run}' is no run name: {Shared.Protocol.Names.Rule}.");

        return errors;
    }
}
