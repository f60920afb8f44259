using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Training;
using Federated.Shared.Peft;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Grpc.Core;

namespace Federated.Client.Agent;

/// <summary>What may be said about an error: a foreign exception's message could quote the private data, so only our own are repeated.</summary>
public static class FailureText
{
    private const int Longest = 1000;

    /// <summary>For the site's own log: full for errors of ours, type and place for others.</summary>
    public static string ForLog(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error switch
        {
            RpcException refusal when RetryPolicy.IsUntrusted(refusal) =>
                $"the coordinator's certificate was not accepted ({Clean(refusal.Status.Detail)}). Check the address and the file given with --ca.",
            RpcException refusal => $"{refusal.StatusCode}, {Clean(refusal.Status.Detail)}",
            DataFormatException => error.Message,
            InvalidDataException or IOException or UnauthorizedAccessException => Clean(error.Message),
            _ when IsOfModelOrPlan(error) => Clean(error.Message),
            _ => $"{error.GetType().Name}{Environment.NewLine}{error.StackTrace}",
        };
    }

    /// <summary>For the coordinator: nothing of the site's files, not even their names.</summary>
    public static string ForCoordinator(Exception error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error switch
        {
            RpcException refusal => $"{refusal.StatusCode}, {Clean(refusal.Status.Detail)}",
            DataFormatException data => $"The site's data file is malformed (line {data.Line}); the agent's log names it.",
            FederatedException => Clean(error.Message),
            _ => $"{error.GetType().Name}; the agent's log says more.",
        };
    }

    /// <summary>A foreign text on one line, of bounded length, without control characters: it goes to a terminal.</summary>
    public static string Clean(string? text)
    {
        string whole = text ?? "";
        string cut = whole.Length > Longest ? whole[..Longest] + "..." : whole;
        return string.Concat(cut.Select(c => char.IsControl(c) ? ' ' : c));
    }

    /// <summary>True for errors about what the coordinator sent: their messages know nothing of the site's data.</summary>
    private static bool IsOfModelOrPlan(Exception error) => error is FederatedException or CheckpointException or PeftFormatException
        or TensorFormatException or TokenizerFormatException or ChatTemplateException or TrainingDivergedException;
}
