using System.Text.Json;
using System.Text.Json.Serialization;

namespace Federated.Simulations.Reports;

/// <summary>What a simulation found: written as <c>summary.json</c>, printed, and drawn in the report.</summary>
public sealed record Summary
{
    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        WriteIndented = true,
    };

    /// <summary>Name of the scenario.</summary>
    public required string Scenario { get; init; }

    /// <summary>Its seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>Examples of the common test set.</summary>
    public required int TestExamples { get; set; }

    /// <summary>Examples of each mailbox, by label.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyDictionary<string, int>> Mailboxes { get; init; }

    /// <summary>Optimiser steps of one site over the whole run.</summary>
    public required int StepsPerSite { get; init; }

    /// <summary>The base model with the untrained head.</summary>
    public Score? Base { get; set; }

    /// <summary>Each mailbox training alone.</summary>
    public LocalScore? Local { get; set; }

    /// <summary>All mailboxes pooled, with as many steps as all sites make together.</summary>
    public Score? Centralised { get; set; }

    /// <summary>The federated runs by name; written as properties of the document itself.</summary>
    [JsonIgnore]
    public Dictionary<string, FederatedScore> Federated { get; } = new(StringComparer.Ordinal);

    /// <summary>Folder with the final adapter in PEFT layout.</summary>
    public string? Adapter { get; set; }

    /// <summary>Seconds of each stage.</summary>
    public Dictionary<string, double> Seconds { get; } = new(StringComparer.Ordinal);

    /// <summary>The document.</summary>
    public string ToJson()
    {
        var document = JsonSerializer.SerializeToNode(this, Json)!.AsObject();
        foreach ((string name, FederatedScore score) in Federated)
            document[name.Replace('-', '_')] = JsonSerializer.SerializeToNode(score, Json);
        return document.ToJsonString(Json);
    }
}

/// <summary>Scores on the common test set.</summary>
public record Score
{
    /// <summary>Share of right answers, in [0, 1].</summary>
    public required double Accuracy { get; init; }

    /// <summary>F1 of the positive class, in [0, 1].</summary>
    public required double F1 { get; init; }

    /// <summary>Mean cross-entropy, in nats.</summary>
    public required double Loss { get; init; }
}

/// <summary>Scores of the mailboxes that train alone; the inherited ones are their means.</summary>
public sealed record LocalScore : Score
{
    /// <summary>Mean of the accuracies.</summary>
    public required double MeanAccuracy { get; init; }

    /// <summary>Each mailbox's own.</summary>
    public required IReadOnlyDictionary<string, Score> Mailboxes { get; init; }
}

/// <summary>Scores of a federated run and how it got there.</summary>
public sealed record FederatedScore : Score
{
    /// <summary>Name of the aggregation rule.</summary>
    public required string Method { get; init; }

    /// <summary>Mean bytes from one client to the coordinator in one round, measured on the socket.</summary>
    public required double BytesUpPerClientRound { get; init; }

    /// <summary>Mean bytes from the coordinator to one client in one round, measured on the socket; the base model's download is in the first round.</summary>
    public required double BytesDownPerClientRound { get; init; }

    /// <summary>SHA-256 of the final adapter.</summary>
    public required string AdapterSha256 { get; init; }

    /// <summary>Every round.</summary>
    public required IReadOnlyList<RoundPoint> Rounds { get; init; }
}

/// <summary>One round of a federated run.</summary>
public sealed record RoundPoint
{
    /// <summary>From 1.</summary>
    public required int Round { get; init; }

    /// <summary>Duration.</summary>
    public required double Seconds { get; init; }

    /// <summary>Weighted mean of the sites' training losses.</summary>
    public required double TrainingLoss { get; init; }

    /// <summary>Weighted mean accuracy of the round's starting adapter on the sites' hold-outs.</summary>
    public required double HoldoutAccuracy { get; init; }

    /// <summary>Accuracy of the round's result on the common test set; null where it was not evaluated.</summary>
    public double? TestAccuracy { get; init; }

    /// <summary>Diagnostics of the aggregation rule.</summary>
    public required IReadOnlyDictionary<string, double> Diagnostics { get; init; }

    /// <summary>Traffic of each site.</summary>
    public required IReadOnlyList<SiteTraffic> Sites { get; init; }
}

/// <summary>Bytes of one site in one round, measured on the coordinator's socket.</summary>
/// <param name="Site">Its name.</param>
/// <param name="Examples">Weight of its update.</param>
/// <param name="BytesUp">From the site.</param>
/// <param name="BytesDown">To the site.</param>
public sealed record SiteTraffic(string Site, long Examples, long BytesUp, long BytesDown);
