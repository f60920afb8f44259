using System.Security.Cryptography;
using System.Text;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Endpoints;

/// <summary>The tokens that a coordinator accepts: one line <c>site NAME SHA256</c> or <c>operator NAME SHA256</c> each. The tokens themselves are nowhere.</summary>
/// <remarks>A token is 256 random bits, so its plain SHA-256 cannot be turned back; a name may have several, so that one can be replaced without a gap.</remarks>
internal sealed class TokenFile
{
    private const int LargestFile = 4 * 1024 * 1024;
    private const int TokenBytes = 32;

    private readonly Dictionary<ContentHash, Caller> _callers;

    private TokenFile(Dictionary<ContentHash, Caller> callers) => _callers = callers;

    /// <summary>Reads a tokens file.</summary>
    /// <exception cref="InvalidDataException">It cannot be used; the message says which line.</exception>
    public static TokenFile Read(string path)
    {
        using FileStream file = Open(path);
        if (file.Length > LargestFile)
            throw new InvalidDataException($"{path} has {file.Length} bytes; a tokens file has at most {LargestFile}.");

        Dictionary<ContentHash, Caller> callers = [];
        using StreamReader reader = new(file);
        for (int number = 1; reader.ReadLine() is { } line; number++)
        {
            if (line.Length == 0 || line.StartsWith('#'))
                continue;
            (ContentHash hash, Caller caller) = Parse(line)
                ?? throw new InvalidDataException($"{path}, line {number}: 'site NAME SHA256' was expected, as 'coordinator token' writes it. Make the token again.");
            if (!callers.TryAdd(hash, caller))
                throw new InvalidDataException($"{path}, line {number}: the same token stands there twice. Delete one of the lines.");
        }

        return new(callers);
    }

    /// <summary>Makes a token and adds its hash to a tokens file, which is made when it is missing.</summary>
    /// <returns>The token: 43 characters of base64url. It is kept nowhere.</returns>
    public static string Add(string path, Caller caller)
    {
        string token = Convert.ToBase64String(RandomNumberGenerator.GetBytes(TokenBytes)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        string line = $"{Word(caller.Role)} {caller.Name} {Hash(token)}\n";
        using FileStream file = new(path, NewFile(FileMode.Append));
        file.Write(Encoding.ASCII.GetBytes(line));
        file.Flush(flushToDisk: true);
        return token;
    }

    /// <summary>Options for a new file that only its owner may read.</summary>
    public static FileStreamOptions NewFile(FileMode mode)
    {
        FileStreamOptions options = new() { Mode = mode, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return options;
    }

    /// <summary>True when at least one token speaks for a site.</summary>
    public bool Knows(string site) => _callers.Values.Any(caller => caller.Role == CallerRole.Site && string.Equals(caller.Name, site, StringComparison.Ordinal));

    /// <summary>Whose token this is; null when it is nobody's.</summary>
    /// <remarks>Looked up by its hash: how far a wrong guess fits tells nothing about any token.</remarks>
    public Caller? Find(string token) => _callers.GetValueOrDefault(Hash(token));

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InvalidDataException($"{path}: the tokens file cannot be read ({e.Message}). Make it with 'coordinator token --site NAME --tokens {path}'.", e);
        }
    }

    private static (ContentHash Hash, Caller Caller)? Parse(string line)
    {
        if (line.Split(' ') is not [string word, string name, string digits] || !Names.IsValid(name) || !ContentHash.TryParse(digits, out ContentHash hash))
            return null;

        CallerRole? role = word switch
        {
            "site" => CallerRole.Site,
            "operator" => CallerRole.Operator,
            _ => null,
        };
        return role is { } known ? (hash, new Caller(name, known)) : null;
    }

    private static string Word(CallerRole role) => role == CallerRole.Site ? "site" : "operator";

    private static ContentHash Hash(string token) => ContentHash.Of(Encoding.UTF8.GetBytes(token));
}
