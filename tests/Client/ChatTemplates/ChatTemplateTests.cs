using System.Text.Json;
using Federated.Client.ChatTemplates;

namespace Federated.Client.Tests.ChatTemplates;

/// <summary>Templates in the manner of the families that publish them, with what they make of a conversation worked out by hand.</summary>
public sealed class ChatTemplateTests
{
    private static readonly Dictionary<string, string> Tokens = new() { ["bos_token"] = "<s>", ["eos_token"] = "</s>" };

    private static readonly ChatMessage[] Talk =
    [
        ChatMessage.Of("system", "Be brief."), ChatMessage.Of("user", " Hi! "), ChatMessage.Of("assistant", "Hello."), ChatMessage.Of("user", "Bye"),
    ];

    public static TheoryData<string, string, string> Families => new()
    {
        { "chatml", ChatTemplate.ChatMl, "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n Hi! <|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n" },
        {
            "llama-2",
            """
            {%- if messages[0]['role'] == 'system' -%}
                {%- set loop_messages = messages[1:] -%}{%- set system_message = messages[0]['content'] -%}
            {%- else -%}
                {%- set loop_messages = messages -%}{%- set system_message = false -%}
            {%- endif -%}
            {%- for message in loop_messages -%}
                {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}{{ raise_exception('Roles must alternate.') }}{%- endif -%}
                {%- if loop.index0 == 0 and system_message != false -%}
                    {%- set content = '<<SYS>>\n' + system_message + '\n<</SYS>>\n\n' + message['content'] -%}
                {%- else -%}{%- set content = message['content'] -%}{%- endif -%}
                {%- if message['role'] == 'user' -%}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
                {%- elif message['role'] == 'assistant' -%}{{ ' ' + content.strip() + ' ' + eos_token }}{%- endif -%}
            {%- endfor -%}
            """,
            "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\n Hi! [/INST] Hello. </s><s>[INST] Bye [/INST]"
        },
        {
            "llama-3",
            "{% set loop_messages = messages %}{% for message in loop_messages %}{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}" +
            "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}",
            "<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi!<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n"
        },
        {
            "zephyr",
            "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n" +
            "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}",
            "<|system|>\nBe brief.</s>\n<|user|>\n Hi! </s>\n<|assistant|>\nHello.</s>\n<|user|>\nBye</s>\n<|assistant|>\n"
        },
        {
            "phi-3",
            "{{ bos_token }}{%- for message in messages -%}{{ '<|' + message.role + '|>\\n' ~ message.content ~ '<|end|>\\n' }}{%- endfor -%}{{ '<|assistant|>\\n' if add_generation_prompt else eos_token }}",
            "<s><|system|>\nBe brief.<|end|>\n<|user|>\n Hi! <|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n"
        },
        {
            "a namespace, a macro, and a filtered loop",
            """
            {%- macro turn(who, text='') -%}[{{ who|upper }}:{{ text|trim }}]{%- endmacro -%}
            {%- set ns = namespace(count=0) -%}
            {%- for m in messages if m.role != 'system' -%}
              {%- set ns.count = ns.count + 1 -%}{{ turn(m.role, text=m.content) }}{{ ',' if not loop.last }}
            {%- endfor -%}
            {{ ' of ' ~ ns.count ~ '/' ~ messages|length ~ ' ' ~ (messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|join('+')) }}
            """,
            "[USER:Hi!],[ASSISTANT:Hello.],[USER:Bye] of 3/4  Hi! +Bye"
        },
    };

    [Theory]
    [MemberData(nameof(Families))]
    public void Render_TemplateOfAFamily_GivesWhatItSays(string name, string template, string expected) =>
        Assert.Equal(expected, ChatTemplate.Parse(name, template, Tokens).Render(Talk, addGenerationPrompt: true).Text);

    [Theory]
    [InlineData("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc")]
    [InlineData("  {% if true %}x{% endif %}", "x")]
    [InlineData("  {%+ if true %}x{% endif %}", "  x")]
    [InlineData("a {{- 1 -}} b", "a1b")]
    [InlineData("a{# {{ no }} #}\nb", "ab")]
    [InlineData("{{ '}}' }}{{ {'a': {'b': 1}}['a']['b'] }}", "}}1")]
    public void WhiteSpaceAndMarks_AreTakenAsInTransformers(string template, string expected) => Assert.Equal(expected, Render(template));

    [Theory]
    [InlineData("1 + 2 * 3 - 4 // 3", "6")]
    [InlineData("-7 // 2 ~ '|' ~ -7 % 3", "-4|2")]
    [InlineData("7 / 2", "3.5")]
    [InlineData("2 ** 10", "1024")]
    [InlineData("'ab' * 2 + 'c'", "ababc")]
    [InlineData("not false and 1 < 2 <= 2", "True")]
    [InlineData("'x' in 'axb' and 3 not in [1, 2]", "True")]
    [InlineData("none is none and missing is not defined", "True")]
    [InlineData("missing", "")]
    [InlineData("missing or 'else'", "else")]
    [InlineData("'yes' if missing else 'no'", "no")]
    [InlineData("[1, 'a', true, none, 2.0, \"it's\"]", "[1, 'a', True, None, 2.0, \"it's\"]")]
    [InlineData("{'a': [1, 2], 'b': {}}", "{'a': [1, 2], 'b': {}}")]
    [InlineData("{'a': 'é\\n', 'b': [true, none]}|tojson", "{\"a\": \"é\\n\", \"b\": [true, null]}")]
    [InlineData("{'a': [1]}|tojson(indent=2)", "{\n  \"a\": [\n    1\n  ]\n}")]
    [InlineData("'abcdef'[1:-1] ~ 'abcdef'[::-2] ~ 'abc'[-1]", "bcdefdbc")]
    [InlineData("[1,2,3][1:]|length", "2")]
    [InlineData("'a,b,c'.split(',')[-1] ~ ' x '.strip() ~ 'xay'.replace('a', 'bb')", "cxxbby")]
    [InlineData("'Hello'.startswith('He') and 'a'.endswith(('b',)) == false", "True")]
    [InlineData("[3,1,2]|sort|join('-') ~ [1,1,2]|unique|list|length", "1-2-32")]
    [InlineData("{'k': 'v'}.items()|first|last", "v")]
    [InlineData("{'k': 'v'}.get('x', 'd') ~ {'k': 'v'}.k", "dv")]
    [InlineData("range(3)|list ~ range(5, 0, -2)|list", "[0, 1, 2][5, 3, 1]")]
    [InlineData("4 is even and 9 is divisibleby(3) and 'a' is string and {} is mapping", "True")]
    [InlineData("none|default('d') ~ missing|default('d') ~ ''|default('e', true)", "Nonede")]
    [InlineData("'a' 'b'", "ab")]
    public void Expression_HasPythonsMeaning(string expression, string expected) => Assert.Equal(expected, Render($"{{{{ {expression} }}}}"));

    [Theory]
    [InlineData("{% for i in [1,2,3,4] %}{% if i == 3 %}{% break %}{% endif %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}", "2")]
    [InlineData("{% for i in [] %}x{% else %}none{% endfor %}", "none")]
    [InlineData("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{{ loop.revindex }};{% endfor %}", "a12;b21;")]
    [InlineData("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1")]
    [InlineData("{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "2")]
    [InlineData("{% set x %}a{{ 1 }}{% endset %}{{ x }}", "a1")]
    [InlineData("{% set l = [] %}{% do l.append(5) %}{{ l }}", "[5]")]
    public void Statement_HasJinjasMeaning(string template, string expected) => Assert.Equal(expected, Render(template));

    [Fact]
    public void Generation_MarksWhatTheAssistantSays()
    {
        ChatTemplate template = ChatTemplate.Parse("t", "{% for m in messages %}{{ m.role }}: {% if m.role == 'assistant' %}{% generation %}{{ m.content }}{% endgeneration %}{% else %}{{ m.content }}{% endif %};{% endfor %}");
        RenderedChat chat = template.Render(Talk, addGenerationPrompt: false);
        Assert.Equal(["Hello."], chat.Spoken.Select(span => chat.Text[span.Start..span.End]));
    }

    [Theory]
    [InlineData("{{ raise_exception('no system') }}", "refuses the conversation: no system")]
    [InlineData("\n\n{{ 1 +", "line 3 of the template: '{{' is not closed")]
    [InlineData("{% if true %}", "not ended by elif or else or endif")]
    [InlineData("{% include 'x' %}", "statement 'include' is not supported")]
    [InlineData("{{ 'a'|shout }}", "filter 'shout' is not supported")]
    [InlineData("{{ 1 is prime }}", "test 'prime' is not supported")]
    [InlineData("{{ missing.name }}", "undefined has no attribute 'name'")]
    [InlineData("{{ missing() }}", "'missing' is undefined, not a function")]
    [InlineData("{{ 'a' + 1 }}", "'+' between a string and an integer")]
    [InlineData("{{ 1 // 0 }}", "division by zero")]
    [InlineData("{{ 1 $ 2 }}", "'$' is no part of an expression")]
    [InlineData("{% set x.y = 1 %}", "'x' is no namespace")]
    public void Fault_NamesThePlaceAndTheConstruct(string template, string message)
    {
        ChatTemplateException error = Assert.Throws<ChatTemplateException>(() => Render(template));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.StartsWith("test.jinja", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{% for a in range(1000000) %}{% for b in range(1000000) %}{% endfor %}{% endfor %}", "steps")]
    [InlineData("{{ 'aaaaaaaaaa' * 100000000 }}", "grew beyond")]
    [InlineData("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "nested deeper")]
    [InlineData("{% set x = 'aaaaaaaaaaaaaaaa' %}{% for i in range(60) %}{{ x * 1000000 }}{% endfor %}", "grew beyond")]
    [InlineData("{{ range(999999999999) }}", "at most")]
    public void HostileTemplate_EndsWithinItsLimits(string template, string message) =>
        Assert.Contains(message, Assert.Throws<ChatTemplateException>(() => Render(template)).Message, StringComparison.Ordinal);

    [Fact]
    public void DeepBrackets_AreRefused()
    {
        string deep = new string('(', 5000) + "1" + new string(')', 5000);
        Assert.Contains("nested deeper", Assert.Throws<ChatTemplateException>(() => Render("{{ " + deep + " }}")).Message, StringComparison.Ordinal);
        string nots = string.Concat(Enumerable.Repeat("not ", 5000));
        Assert.Contains("nested deeper", Assert.Throws<ChatTemplateException>(() => Render("{{ " + nots + "1 }}")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FindsTheTemplateWhereverTheFolderKeepsIt()
    {
        using TemporaryFolder folder = new();
        Assert.Null(ChatTemplate.Read(folder.Path));
        string config = JsonSerializer.Serialize(new { bos_token = "<b>", eos_token = new { content = "<e>" }, chat_template = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}" });
        folder.Write("tokenizer_config.json", config);
        Assert.Equal("<b>Be brief.<e>", ChatTemplate.Read(folder.Path)!.Render(Talk, false).Text);

        folder.Write("tokenizer_config.json", """{"chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]}""");
        Assert.Equal("yes", ChatTemplate.Read(folder.Path)!.Render(Talk, false).Text);
        folder.Write("chat_template.jinja", "from the file");
        Assert.Equal("from the file", ChatTemplate.Read(folder.Path)!.Render(Talk, false).Text);
        Assert.StartsWith("<|im_start|>", ChatTemplate.Read(folder.Path, "chatml")!.Render(Talk, false).Text, StringComparison.Ordinal);
        Assert.Equal("mine", ChatTemplate.Read(folder.Path, folder.Write("own.jinja", "mine"))!.Render(Talk, false).Text);
        Assert.Contains("no such file", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Read(folder.Path, "missing.jinja")).Message, StringComparison.Ordinal);
        folder.Write("tokenizer_config.json", "{");
        Assert.Contains("not valid JSON", Assert.Throws<ChatTemplateException>(() => ChatTemplate.Read(folder.Path)).Message, StringComparison.Ordinal);
    }

    private static string Render(string template) => ChatTemplate.Parse("test.jinja", template, Tokens).Render(Talk, addGenerationPrompt: true).Text;
}
