using System.Text.RegularExpressions;
using MetaPrompts.Cli.Yaml;

namespace MetaPrompts.Cli.Configuration;

/// <summary>
/// <c>${NAME}</c> and <c>${NAME:-default}</c> in values; <c>$${</c> is a <c>${</c> as it stands. What comes out is a value, never YAML: a variable cannot bring keys of its own.
/// Before the <c>@</c> of a URL, user and password are percent-encoded, so that any character may be in them.
/// </summary>
internal sealed partial class Substitution(IReadOnlyDictionary<string, string> variables, Action<Mistake> mistake)
{
    public YamlNodeAt Fill(YamlNodeAt node, string path)
    {
        switch (node)
        {
            case YamlScalarAt scalar when scalar.Text.Contains("${", StringComparison.Ordinal):
                return new YamlScalarAt(scalar.Place, Fill(scalar, path), scalar.IsPlain);
            case YamlListAt list:
                return new YamlListAt(list.Place, [.. list.Items.Select((item, i) => Fill(item, $"{path}[{i}]"))]);
            case YamlMapAt map:
                var filled = new YamlMapAt(map.Place);
                foreach (var entry in map.Entries) filled.Put(entry with { Value = Fill(entry.Value, path.Length == 0 ? entry.Key : $"{path}.{entry.Key}") });
                return filled;
            default:
                return node;
        }
    }

    private string Fill(YamlScalarAt scalar, string path)
    {
        var user = UserInfo().Match(scalar.Text);
        return Variable().Replace(scalar.Text, match =>
        {
            if (match.Value.StartsWith("$$", StringComparison.Ordinal)) return match.Value[1..];
            if (!match.Groups["name"].Success)
            {
                mistake(new Mistake(scalar.Place, path, "holds a ${ that is no variable; write ${NAME}, ${NAME:-default}, or $${ for the characters themselves"));
                return "";
            }

            var name = match.Groups["name"].Value;
            var value = variables.TryGetValue(name, out var found) && found.Length > 0 ? found : match.Groups["default"].Success ? match.Groups["default"].Value : null;
            if (value is null) mistake(new Mistake(scalar.Place, path, $"needs the environment variable {name}, which is not set"));
            return user.Success && match.Index < user.Index + user.Length ? Uri.EscapeDataString(value ?? "") : value ?? "";
        });
    }

    [GeneratedRegex(@"\$\$\{|\$\{(?:(?<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?<default>[^}]*))?\})?")]
    private static partial Regex Variable();

    /// <summary>From the scheme to the @, in which only variables may hold a slash.</summary>
    [GeneratedRegex(@"^[a-z][a-z0-9+.-]*://(?:\$\{[^}]*\}|[^/@$])*@")]
    private static partial Regex UserInfo();
}
