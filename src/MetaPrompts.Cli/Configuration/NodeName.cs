namespace MetaPrompts.Cli.Configuration;

/// <summary>Name of this machine as an id of contract §5.</summary>
internal static class NodeName
{
    public static string OfThisMachine { get; } = Of(Environment.MachineName);

    private static string Of(string host)
    {
        var name = string.Concat(host.ToLowerInvariant().Take(48).Select(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_' or '-' ? c : '-'));
        return name.Length > 0 ? name : "node";
    }
}
