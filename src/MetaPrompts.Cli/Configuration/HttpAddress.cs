using System.Globalization;

namespace MetaPrompts.Cli.Configuration;

/// <summary>Where the service listens: <c>127.0.0.1:9464</c>, <c>0.0.0.0:9464</c>, <c>[::1]:9464</c>.</summary>
internal sealed record HttpAddress(string Host, int Port)
{
    /// <summary>As a listener's prefix; every address of the machine is <c>+</c> there.</summary>
    public string Prefix => $"http://{ListenerHost}:{Port.ToString(CultureInfo.InvariantCulture)}/";

    public string ListenerHost => Host is "0.0.0.0" or "[::]" or "*" ? "+" : Host;

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
