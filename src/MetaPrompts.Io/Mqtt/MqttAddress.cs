using MetaPrompts.Core.Errors;

namespace MetaPrompts.Io.Mqtt;

/// <summary>Where a broker is and who we are there, taken apart from a URL.</summary>
internal sealed record MqttAddress(string Host, int Port, bool UseTls, string? Username, string? Password)
{
    /// <summary>As it may be shown: without user and password.</summary>
    public override string ToString() => $"{(UseTls ? "mqtts" : "mqtt")}://{(Username is null ? "" : "***@")}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}";

    /// <exception cref="ConfigurationException">No URL of a broker; does not repeat what was given, it may hold a password.</exception>
    public static MqttAddress Of(MqttOptions options)
    {
        if (!Uri.TryCreate(options.Url, UriKind.Absolute, out var url) || url.Scheme is not ("mqtt" or "mqtts") || url.Host.Length == 0 || url.AbsolutePath is not ("" or "/") || url.Query.Length > 0)
            throw new ConfigurationException("mqtt.url", "is not mqtt://host[:port] or mqtts://host[:port]; check scheme and host, and write %40 for an @ within the password");
        var tls = url.Scheme == "mqtts";
        if (!tls && (options.Tls.Ca ?? options.Tls.Certificate) is not null)
            throw new ConfigurationException("mqtt.tls", "is set, but the URL says mqtt://, which is not encrypted; write mqtts://");
        var user = url.UserInfo.Split(':', 2);
        return new MqttAddress(url.DnsSafeHost, url.Port > 0 ? url.Port : tls ? 8883 : 1883, tls,
            options.Username ?? (user[0].Length > 0 ? Uri.UnescapeDataString(user[0]) : null),
            options.Password ?? (user.Length > 1 ? Uri.UnescapeDataString(user[1]) : null));
    }
}
