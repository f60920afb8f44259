using Federated.Client.Commands;

namespace Federated.Client.Tests.Commands;

/// <summary>Runs the program in this process and keeps what it prints. Tests that use it run alone.</summary>
internal static class CapturedConsole
{
    public static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        (TextWriter output, TextWriter error) = (Console.Out, Console.Error);
        using StringWriter newOutput = new(), newError = new();
        Console.SetOut(newOutput);
        Console.SetError(newError);
        try
        {
            int code = await ClientCommand.RunAsync(arguments);
            return (code, newOutput.ToString(), newError.ToString());
        }
        finally
        {
            Console.SetOut(output);
            Console.SetError(error);
        }
    }
}
