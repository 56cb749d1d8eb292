using System.Globalization;
using System.Net;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Where the service listens: <c>127.0.0.1:9464</c>, <c>0.0.0.0:9464</c>, <c>[::1]:9464</c>, <c>localhost:9464</c>, <c>*:9464</c>.</summary>
internal sealed record HttpAddress(string Host, int Port)
{
    /// <summary>On every address of this machine, of IPv4 and IPv6.</summary>
    public bool IsEverywhere => Host is "*" or "[::]";

    /// <summary>The addresses the host stands for; not for <see cref="IsEverywhere"/>.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">There is no such host.</exception>
    public IPAddress[] Resolve() => IPAddress.TryParse(Host.Trim('[', ']'), out var ip) ? [ip] : Dns.GetHostAddresses(Host);

    public static bool TryParse(string text, out HttpAddress? address)
    {
        address = null;
        var colon = text.LastIndexOf(':');
        if (colon < 1 || !int.TryParse(text[(colon + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port is < 1 or > 65535) return false;
        var host = text[..colon];
        if (host != "*" && Uri.CheckHostName(host.Trim('[', ']')) == UriHostNameType.Unknown) return false;
        address = new HttpAddress(host, port);
        return true;
    }
}
