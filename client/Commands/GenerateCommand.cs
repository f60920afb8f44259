using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Federated.Client.Adapters;
using Federated.Client.ChatTemplates;
using Federated.Client.Generation;
using Federated.Client.Models;
using Federated.Client.Tokenizers;
using Federated.Client.Tokenizers.Files;
using TorchSharp;

namespace Federated.Client.Commands;

/// <summary><c>client generate</c>: lets a model continue a text, with or without an adapter.</summary>
public static class GenerateCommand
{
    private const long LongestPromptFile = 64 << 20;

    private sealed record Settings(
        string Model, string? Adapter, string? Prompt, string? PromptFile, ChatSettings Chat, string[] Stops, GenerationOptions Options, int Threads, bool Json)
    {
        public IReadOnlyList<string> Validate()
        {
            OptionFaults faults = new();
            faults.Folder("--model", Model);
            if (Adapter is not null)
                faults.Folder("--adapter", Adapter);
            if (PromptFile is not null)
                faults.Demand(new FileInfo(PromptFile) is { Exists: true, Length: <= LongestPromptFile }, "--prompt-file", PromptFile, $"an existing text file of at most {LongestPromptFile} bytes");
            faults.Demand(Prompt is null || PromptFile is null, "--prompt-file", PromptFile, "either --prompt or --prompt-file, not both,");
            faults.Demand(Chat.System is null || Chat.Wanted, "--system", Chat.System, "--chat beside it");
            faults.Demand(Chat.Template is null || Chat.Wanted, "--chat-template", Chat.Template, "--chat beside it");
            faults.Demand(!Stops.Contains(""), "--stop", "", "a text that is not empty");
            faults.Demand(Options.MaxNewTokens >= 1, "--max-new-tokens", Options.MaxNewTokens, "1 or more");
            faults.Demand(double.IsFinite(Options.Temperature) && Options.Temperature >= 0, "--temperature", Options.Temperature, "0 or more");
            faults.Demand(Options.TopK is null or >= 1, "--top-k", Options.TopK, "1 or more");
            faults.Demand(Options.TopP is > 0 and <= 1, "--top-p", Options.TopP, "more than 0 and at most 1");
            faults.Demand(double.IsFinite(Options.RepetitionPenalty) && Options.RepetitionPenalty > 0, "--repetition-penalty", Options.RepetitionPenalty, "more than 0");
            faults.Demand(Threads >= 1, "--threads", Threads, "1 or more");
            return faults.Found;
        }
    }

    private sealed record ChatSettings(bool Wanted, string? System, string? Template);

    /// <summary>The command with its options.</summary>
    public static Command Create()
    {
        Option<string> model = new("--model") { Description = "Model folder in Hugging Face layout.", Required = true };
        Option<string?> adapter = new("--adapter") { Description = "Adapter folder in PEFT layout." };
        Option<string?> prompt = new("--prompt") { Description = "The text to continue. Default: what comes on standard input." };
        Option<string?> promptFile = new("--prompt-file") { Description = "File with the text to continue." };
        Option<bool> chat = new("--chat") { Description = "The prompt is what a user says; the model answers by its chat template." };
        Option<string?> system = new("--system") { Description = "With --chat: what the system says first." };
        Option<string?> template = new("--chat-template") { Description = "With --chat: chatml, or a file with a Jinja template. Default: the model's own." };
        Option<string[]> stops = new("--stop") { Description = "A text at which to stop; may be repeated." };
        Option<int> most = new("--max-new-tokens") { Description = "Most new tokens.", DefaultValueFactory = _ => 128 };
        Option<double> temperature = new("--temperature") { Description = "0 takes the likeliest token each time; 1 samples as the model says." };
        Option<int?> topK = new("--top-k") { Description = "Sample among this many likeliest tokens." };
        Option<double> topP = new("--top-p") { Description = "Sample among the fewest tokens that have this probability together.", DefaultValueFactory = _ => 1 };
        Option<double> penalty = new("--repetition-penalty") { Description = "Above 1, tokens that are there already become less likely.", DefaultValueFactory = _ => 1 };
        Option<ulong> seed = new("--seed") { Description = "Seed of the draws.", DefaultValueFactory = _ => 1 };
        Option<int> threads = new("--threads") { Description = "Threads.", DefaultValueFactory = _ => Environment.ProcessorCount };
        Option<bool> json = new("--json") { Description = "Print the result as one line of JSON, at the end." };
        Command command = new("generate",
            """
            Continues a text, token by token as they come; how fast, and why it ended, goes to standard error.

            Examples:
              client generate --model models/small-en --prompt "My fellow citizens," --max-new-tokens 60
              client generate --model models/chat --chat --system "Answer briefly." --prompt "Why is the sky blue?"
              client generate --model models/base --adapter adapter --prompt-file letter.txt --temperature 0.8 --top-p 0.95 --seed 7
            """)
        {
            model, adapter, prompt, promptFile, chat, system, template, stops, most, temperature, topK, topP, penalty, seed, threads, json,
        };
        command.SetAction((parsed, cancellation) => CommandErrors.GuardAsync(() => Task.FromResult(Run(
            new Settings(
                parsed.GetRequiredValue(model), parsed.GetValue(adapter), parsed.GetValue(prompt), parsed.GetValue(promptFile),
                new(parsed.GetValue(chat), parsed.GetValue(system), parsed.GetValue(template)), parsed.GetValue(stops) ?? [],
                new()
                {
                    MaxNewTokens = parsed.GetValue(most),
                    Temperature = parsed.GetValue(temperature),
                    TopK = parsed.GetValue(topK),
                    TopP = parsed.GetValue(topP),
                    RepetitionPenalty = parsed.GetValue(penalty),
                    Seed = parsed.GetValue(seed),
                },
                parsed.GetValue(threads), parsed.GetValue(json)),
            cancellation))));
        return command;
    }

    private static int Run(Settings settings, CancellationToken cancellation)
    {
        if (CommandErrors.Report(settings.Validate()) is var code and not ExitCodes.Ok)
            return code;

        torch.set_num_threads(settings.Threads);
        using PretrainedModel model = PretrainedModel.Load(settings.Model);
        if (model.Config.Task != ModelTask.CausalLanguageModel)
            return CommandErrors.Report([$"--model is a {model.Config.ClassName}; a causal language model was expected."]);
        using AdaptedModel? adapted = settings.Adapter is { } folder ? AdaptedModel.Load(model, folder) : null;
        Tokenizer tokenizer = TokenizerFolder.Read(settings.Model);
        List<int> prompt = [];
        tokenizer.Encode(Prompt(settings), prompt, addSpecialTokens: !settings.Chat.Wanted);
        int context = model.TextConfig.MaxPositions;
        if (prompt.Count == 0 || prompt.Count >= context)
            return CommandErrors.Report([$"The prompt has {prompt.Count} tokens; 1 to {context - 1} were expected, since the model's context has {context} places."]);

        StringBuilder text = new();
        IncrementalText stream = new(tokenizer, settings.Stops, piece => Write(settings, text, piece));
        int tokens = 0;
        long started = Stopwatch.GetTimestamp();
        TimeSpan first = TimeSpan.Zero;
        bool Take(int token)
        {
            if (tokens++ == 0)
                first = Stopwatch.GetElapsedTime(started);
            return stream.Push(token);
        }

        GenerationOptions options = settings.Options with { EndTokens = EndTokens.Of(settings.Model, model, tokenizer) };
        FinishReason reason = new TokenGenerator(model).Generate(prompt.ToArray(), options, Take, cancellation);
        if (reason != FinishReason.Stopped)
            stream.Complete();
        Report(settings, new(text.ToString(), prompt.Count, tokens, Name(reason), first.TotalSeconds, Stopwatch.GetElapsedTime(started).TotalSeconds));
        return ExitCodes.Ok;
    }

    private static string Prompt(Settings settings)
    {
        string said = settings.Prompt ?? (settings.PromptFile is { } file ? File.ReadAllText(file) : Console.In.ReadToEnd());
        ChatSettings chat = settings.Chat;
        if (!chat.Wanted)
            return said;
        ChatTemplate template = ChatTemplate.Read(settings.Model, chat.Template)
            ?? throw new ChatTemplateException($"{settings.Model} has no chat template; name one with --chat-template: chatml, or a file with Jinja text.");
        ChatMessage[] messages = chat.System is { } system ? [ChatMessage.Of("system", system), ChatMessage.Of("user", said)] : [ChatMessage.Of("user", said)];
        return template.Render(messages, addGenerationPrompt: true).Text;
    }

    private static void Write(Settings settings, StringBuilder text, string piece)
    {
        text.Append(piece);
        if (!settings.Json)
            Console.Write(piece);
    }

    private static void Report(Settings settings, GenerationOutput output)
    {
        if (settings.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(output, CommandJson.Default.GenerationOutput));
            return;
        }

        Console.WriteLine();
        Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{output.PromptTokens} tokens read, {output.Tokens} written in {output.Seconds:0.00} s ({output.TokensPerSecond:0.0} a second); ended: {output.FinishReason}"));
    }

    private static string Name(FinishReason reason) => reason switch
    {
        FinishReason.EndOfText => "end-of-text",
        FinishReason.Stopped => "stop-text",
        FinishReason.ContextFull => "context-full",
        _ => "max-new-tokens",
    };
}
