using System.Text.Json;
using Federated.Client.ChatTemplates;
using Federated.Client.Data;
using Federated.Client.Tokenizers;

namespace Federated.Client.Training.Tasks;

/// <summary>Makes rows of instructions with answers, and of conversations: tokens, and which of them are the answer.</summary>
/// <remarks>
/// Each piece of text is encoded by itself, where the answer begins and ends: just there a model that answers will have to begin. A row that is
/// too long loses its beginning, so that the end of the answer and what went before it remain.
/// </remarks>
internal sealed class InstructionRows(ITokenizer tokenizer, ChatTemplate? template, int maxTokens)
{
    private const string Assistant = "assistant";
    private readonly int[] _opening = [.. tokenizer.Template.ForOne.TakeWhile(part => !part.IsText).SelectMany(part => part.Tokens)];

    /// <summary>A prompt with its completion, which ends with the end-of-text token where the tokenizer has one.</summary>
    internal TaskRow Pair(DataRecord record, string prompt, string completion)
    {
        List<int> tokens = [.. _opening];
        tokenizer.Encode(prompt, tokens, addSpecialTokens: false);
        int start = tokens.Count;
        tokenizer.Encode(completion, tokens, addSpecialTokens: false);
        if (tokenizer.Special.Eos is { } end && (tokens.Count == start || tokens[^1] != end))
            tokens.Add(end);
        return Row(record, tokens, [new(start, tokens.Count)]);
    }

    /// <summary>A conversation as the model's template writes it; what the assistant says is learned, the end of its turn included.</summary>
    internal TaskRow Conversation(DataRecord record, string json)
    {
        ChatMessage[] messages = Messages(record, json);
        if (template is null)
            throw record.Wrong("it has 'messages', but the model has no chat template; name one with --chat-template: 'chatml', or a file with Jinja text.");
        if (!messages.Any(message => message.Role == Assistant))
            throw record.Wrong("no message is the assistant's, so there is nothing to learn; wanted one or more of role 'assistant'.");

        (string text, IReadOnlyList<(int Start, int End)> spoken) = Rendered(record, messages);
        List<int> tokens = [];
        List<TokenSpan> learned = [];
        int at = 0;
        foreach ((int start, int end) in spoken)
        {
            tokenizer.Encode(text.AsSpan(at..start), tokens, addSpecialTokens: false);
            int first = tokens.Count;
            tokenizer.Encode(text.AsSpan(start..end), tokens, addSpecialTokens: false);
            if (tokens.Count > first)
                learned.Add(new(first, tokens.Count));
            at = end;
        }

        tokenizer.Encode(text.AsSpan(at), tokens, addSpecialTokens: false);
        return Row(record, tokens, learned);
    }

    private (string Text, IReadOnlyList<(int Start, int End)> Spoken) Rendered(DataRecord record, ChatMessage[] messages)
    {
        try
        {
            RenderedChat whole = template!.Render(messages, addGenerationPrompt: false);
            return (whole.Text, whole.Spoken.Count > 0 ? whole.Spoken : [.. Turns(record, messages, whole.Text)]);
        }
        catch (ChatTemplateException error)
        {
            // A template's own refusal may quote the conversation, which is private.
            throw record.Wrong(error.Refuses
                ? "the model's chat template refuses this conversation; most want roles to take turns: system first if at all, then user, assistant, user."
                : error.Message);
        }
    }

    /// <summary>Without marks in the template, an answer is what a conversation grows by when it joins; so each has to grow at its end only.</summary>
    private IEnumerable<(int Start, int End)> Turns(DataRecord record, ChatMessage[] messages, string text)
    {
        for (int i = 0; i < messages.Length; i++)
        {
            if (messages[i].Role != Assistant)
                continue;
            string before = template!.Render(messages[..i], addGenerationPrompt: true).Text, with = template.Render(messages[..(i + 1)], addGenerationPrompt: false).Text;
            if (!with.StartsWith(before, StringComparison.Ordinal) || !text.StartsWith(with, StringComparison.Ordinal))
            {
                throw record.Wrong(
                    "the chat template does not write a conversation message by message, so where the assistant's begin cannot be told; mark them in it with {% generation %}...{% endgeneration %}, or take another with --chat-template.");
            }

            yield return (before.Length, with.Length);
        }
    }

    private static ChatMessage[] Messages(DataRecord record, string json)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(json);
            return document.RootElement.ValueKind == JsonValueKind.Array
                ? [.. document.RootElement.EnumerateArray().Select(ChatMessage.Read)]
                : throw record.Wrong("'messages' is no array of messages.");
        }
        catch (ChatTemplateException error)
        {
            throw record.Wrong(error.Message);
        }
    }

    private TaskRow Row(DataRecord record, List<int> tokens, IReadOnlyList<TokenSpan> learned)
    {
        int cut = Math.Max(0, tokens.Count - maxTokens);
        TokenSpan[] left = [.. learned.Where(span => span.End > cut).Select(span => new TokenSpan(Math.Max(0, span.Start - cut), span.End - cut))];
        // The first token of a row is predicted from nothing.
        return left.Any(span => span.End > Math.Max(1, span.Start))
            ? new(tokens[cut..].ToArray()) { Learned = left }
            : throw record.Wrong($"nothing of its answer is left to learn in a row of {maxTokens} tokens; give it an answer, or raise --max-tokens.");
    }
}
