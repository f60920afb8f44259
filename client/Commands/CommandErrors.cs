using Federated.Client.Agent;
using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Training;
using Federated.Shared.Peft;
using Federated.Shared.Protocol;
using Federated.Shared.Tensors;
using Grpc.Core;

namespace Federated.Client.Commands;

/// <summary>Turns what a command throws into one line on standard error and an exit code.</summary>
public static class CommandErrors
{
    /// <summary>Runs <paramref name="command"/>.</summary>
    public static async Task<int> GuardAsync(Func<Task<int>> command)
    {
        ArgumentNullException.ThrowIfNull(command);
        try
        {
            return await command();
        }
        catch (OperationCanceledException)
        {
            return Say("stopped before the end; nothing was written.", ExitCodes.Interrupted);
        }
        catch (RpcException e)
        {
            return Say($"the coordinator refused: {FailureText.ForLog(e)}", ExitCodes.Refused);
        }
        catch (Exception e) when (e is DataFormatException or CheckpointException or TokenizerFormatException or ChatTemplateException or TensorFormatException or PeftFormatException
            or TrainingDivergedException or FederatedException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            return Say(e.Message, ExitCodes.BadData);
        }
        catch (Exception e)
        {
            // Type and place only: a foreign message could quote the data.
            return Say($"this is a bug, please report it: {FailureText.ForLog(e)}", ExitCodes.Internal);
        }
    }

    /// <summary>Prints every configuration error; 0 when there is none.</summary>
    public static int Report(IReadOnlyList<string> errors)
    {
        ArgumentNullException.ThrowIfNull(errors);
        foreach (string error in errors)
            Say(error, ExitCodes.BadConfiguration);
        return errors.Count == 0 ? ExitCodes.Ok : ExitCodes.BadConfiguration;
    }

    private static int Say(string message, int code)
    {
        Console.Error.WriteLine($"error: {message}");
        return code;
    }
}
