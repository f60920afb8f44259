using System.Net;

namespace Federated.Coordinator.Hosting;

/// <summary>An address to listen on.</summary>
/// <param name="EndPoint">Address and port; port 0 lets the system choose.</param>
/// <param name="Tls">Whether TLS is spoken.</param>
internal sealed record ListenAddress(IPEndPoint EndPoint, bool Tls)
{
    /// <summary>Reads <c>http://127.0.0.1:7443</c>, <c>https://0.0.0.0:7443</c> or <c>http://localhost:0</c>.</summary>
    /// <param name="text">The address.</param>
    /// <param name="errors">Receives a sentence when it cannot be used.</param>
    public static ListenAddress? Parse(string text, ICollection<string> errors)
    {
        if (!Uri.TryCreate(text, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || uri.PathAndQuery != "/")
        {
            errors.Add($"--listen is '{text}'; an address was expected, for example http://127.0.0.1:7443 or https://0.0.0.0:7443.");
            return null;
        }

        IPAddress? address = string.Equals(uri.Host, "localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
            : IPAddress.TryParse(uri.Host.Trim('[', ']'), out IPAddress? parsed) ? parsed : null;
        if (address is null)
        {
            errors.Add($"--listen is '{text}'; '{uri.Host}' is no IP address. Give one of this machine, 0.0.0.0 for all, or localhost.");
            return null;
        }

        bool tls = uri.Scheme == "https";
        if (!tls && !IPAddress.IsLoopback(address))
        {
            errors.Add($"--listen is '{text}'; plain text is for loopback only. Use https:// with --certificate and --key, or 127.0.0.1.");
            return null;
        }

        return new(new IPEndPoint(address, uri.Port), tls);
    }
}
