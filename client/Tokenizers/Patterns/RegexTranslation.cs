using System.Text;

namespace Federated.Client.Tokenizers.Patterns;

/// <summary>Writes a regular expression of Oniguruma's dialect, which tokenizer files use, as .NET has it.</summary>
/// <remarks>
/// Done here: possessive quantifiers become atomic groups, <c>\h</c> a class of hexadecimal digits, and <c>\w</c> (so <c>\b</c>) also takes the
/// numbers, marks and letters that .NET leaves out of it. What would silently mean something else is refused: classes in classes, POSIX
/// brackets and intersections. The rest that .NET lacks (names of scripts) it refuses itself.
/// </remarks>
internal static class RegexTranslation
{
    /// <summary>With these .NET's class is the same set of characters as Oniguruma's, compared over the Basic Multilingual Plane.</summary>
    private const string MoreWordCharacters = @"\p{M}\p{Nl}\u00B2\u00B3\u00B9\u00BC-\u00BE\u24B6-\u24E9";

    private const string Word = $@"[\w{MoreWordCharacters}]";

    /// <exception cref="ArgumentException">The pattern has what cannot be translated.</exception>
    public static string ToNet(string pattern)
    {
        StringBuilder result = new(pattern.Length + 16);
        Stack<int> groups = [];
        int atom = 0;
        for (int position = 0; position < pattern.Length; position++)
        {
            switch (pattern[position])
            {
                case '\\':
                    atom = result.Length;
                    position = Escape(pattern, position, inClass: false, result);
                    break;
                case '[':
                    atom = result.Length;
                    position = Class(pattern, position, result);
                    break;
                case '(':
                    groups.Push(result.Length);
                    result.Append('(');
                    break;
                case ')':
                    atom = groups.Count > 0 ? groups.Pop() : result.Length;
                    result.Append(')');
                    break;
                case '?' or '*' or '+' when position + 1 < pattern.Length && pattern[position + 1] == '+' && !OpensGroup(pattern, position):
                    result.Insert(atom, "(?>").Append(pattern[position++]).Append(')');
                    break;
                case '?' or '*' or '+' or '{' or '}' or ',' or (>= '0' and <= '9') when InQuantifier(pattern, position):
                    result.Append(pattern[position]);
                    break;
                default:
                    atom = result.Length;
                    result.Append(pattern[position]);
                    break;
            }
        }

        return result.ToString();
    }

    private static bool OpensGroup(string pattern, int position) => position > 0 && pattern[position - 1] == '(' && (position < 2 || pattern[position - 2] != '\\');

    /// <summary>Whether this character belongs to a quantifier, so that it starts no atom. A brace's content counts only behind an open brace.</summary>
    private static bool InQuantifier(string pattern, int position)
    {
        if (pattern[position] is '?' or '*' or '+' or '{')
            return true;

        int open = pattern.LastIndexOf('{', position);
        return open >= 0 && !pattern.AsSpan(open + 1, position - open - 1).ContainsAnyExceptInRange(',', '9');
    }

    private static int Class(string pattern, int position, StringBuilder result)
    {
        result.Append('[');
        position++;
        if (position < pattern.Length && pattern[position] == '^')
            result.Append(pattern[position++]);

        for (int first = position; position < pattern.Length; position++)
        {
            char character = pattern[position];
            if (character == ']' && position > first)
            {
                result.Append(']');
                return position;
            }

            if (character == '[')
                throw new ArgumentException("a class inside a class, or a POSIX bracket; write '[' as '\\[' if it stands for itself");

            if (character == '&' && position + 1 < pattern.Length && pattern[position + 1] == '&')
                throw new ArgumentException("an intersection of classes ('&&')");

            if (character == '\\')
                position = Escape(pattern, position, inClass: true, result);
            else
                result.Append(character);
        }

        throw new ArgumentException("a class without ']' at its end");
    }

    /// <summary>Copies an escape, or what stands for it, and returns the place of its last character.</summary>
    private static int Escape(string pattern, int position, bool inClass, StringBuilder result)
    {
        if (position + 1 == pattern.Length)
            throw new ArgumentException("a backslash at its end");

        char escaped = pattern[position + 1];
        switch (escaped)
        {
            case 'w':
                result.Append(inClass ? @"\w" + MoreWordCharacters : Word);
                return position + 1;
            case 'W' when !inClass:
                result.Append($@"[^\w{MoreWordCharacters}]");
                return position + 1;
            case 'b' or 'B' when !inClass:
                (string before, string after) = escaped == 'b' ? ("!", "=") : ("=", "!");
                result.Append($"(?:(?<={Word})(?{before}{Word})|(?<!{Word})(?{after}{Word}))");
                return position + 1;
            case 'h':
                result.Append(inClass ? "0-9a-fA-F" : "[0-9a-fA-F]");
                return position + 1;
            case 'p' or 'P' when pattern.IndexOf('}', position) is > 0 and int end:
                result.Append(pattern, position, end + 1 - position);
                return end;
            default:
                result.Append('\\').Append(escaped);
                return position + 1;
        }
    }
}
