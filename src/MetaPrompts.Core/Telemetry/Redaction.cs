using System.Text.RegularExpressions;

namespace MetaPrompts.Core.Telemetry;

/// <summary>Takes user, password and tokens out of text that may hold URLs: <c>rtsp://***@host/path?token=***</c>. Whatever is shown, logged, counted or published goes through it.</summary>
public static partial class Redaction
{
    public static string Of(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (!text.Contains("://", StringComparison.Ordinal)) return text;
        return SecretParameter().Replace(UserInfo().Replace(text, "$1***@"), "$1***");
    }

    /// <summary>Up to the last @ of the URL where a colon is followed by no port, otherwise up to the last before the path begins: a password may hold @, /, ?, # and quotes that nobody encoded. Rather too much than too little.</summary>
    [GeneratedRegex(@"([A-Za-z][A-Za-z0-9+.-]{0,31}://)(?:[^\s/?#@:\[]*:(?!\d{1,5}[/?#])\S*@|[^\s/?#]*@)")]
    private static partial Regex UserInfo();

    /// <summary>Some cameras want them in the path: <c>/user=admin_password=…_channel=1</c>.</summary>
    [GeneratedRegex(@"([?&;/_](?:user(?:name)?|usr|login(?:use|pass?)?|pass(?:word|phrase|wd)?|pwd|pw|token|access_token|auth|authorization|key|api_?key|secret|sig(?:nature)?|streamid)=)[^&;#\s'""<>]*", RegexOptions.IgnoreCase)]
    private static partial Regex SecretParameter();
}
