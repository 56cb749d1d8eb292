using System.Collections;
using MetaPrompts.Cli.Yaml;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Cli.Configuration;

/// <summary>
/// A service's configuration: the YAML file, then <c>METAPROMPTS__a__b</c> of the environment, then <c>--set a.b=c</c>; <c>${NAME}</c> filled in; the defaults laid under each stream; checked as a whole.
/// </summary>
internal static class ServiceFile
{
    private const string Prefix = "METAPROMPTS__";

    /// <param name="set">Assignments of <c>--set</c>.</param>
    /// <param name="environment">Of the process; a test's own.</param>
    /// <exception cref="ConfigurationMistakes">Everything that is wrong.</exception>
    /// <exception cref="ConfigurationException">The file cannot be read, or is no YAML at all.</exception>
    public static ServiceSettings Read(string path, IEnumerable<string> set, IReadOnlyDictionary<string, string>? environment = null) => Settle(mistake =>
    {
        var root = YamlTreeReader.ReadFile(path, (place, problem) => mistake(new Mistake(place, "", problem)));
        if (root is null or YamlScalarAt { IsNull: true }) root = new YamlMapAt(new YamlPlace(path, 0, 0));
        return root as YamlMapAt ?? throw new ConfigurationException(path, $"must be a mapping of keys to values, is {root.Noun}");
    }, set, environment);

    /// <summary>The same without a file: <paramref name="yaml"/> is ours, what may be wrong is in the overrides.</summary>
    public static ServiceSettings OfText(string source, string yaml, IEnumerable<string> set, IReadOnlyDictionary<string, string>? environment = null) =>
        Settle(mistake => (YamlMapAt)YamlTreeReader.Read(source, yaml, (place, problem) => mistake(new Mistake(place, "", problem)))!, set, environment);

    private static ServiceSettings Settle(Func<Action<Mistake>, YamlMapAt> read, IEnumerable<string> set, IReadOnlyDictionary<string, string>? environment)
    {
        var variables = environment ?? OfTheProcess();
        var mistakes = new List<Mistake>();
        var root = read(mistakes.Add);
        foreach (var (name, value) in variables.Where(v => v.Key.StartsWith(Prefix, StringComparison.Ordinal)).OrderBy(v => v.Key, StringComparer.Ordinal))
            TreeOverrides.Set(root, name[Prefix.Length..].Split("__"), value, name, mistakes.Add);
        foreach (var assignment in set) TreeOverrides.Assign(root, assignment, mistakes.Add);

        root = (YamlMapAt)new Substitution(variables, mistakes.Add).Fill(root, "");
        var binder = new SettingsBinder(mistakes.Add);
        TreeOverrides.LayUnder(root);
        var settings = (ServiceSettings)binder.Section(typeof(ServiceSettings), root, "");
        mistakes.AddRange(ServiceCheck.Of(settings, root));
        // A mistake in the defaults shows in every stream they are laid under: told once, where it stands.
        var all = mistakes.GroupBy(m => (m.Place, m.Problem)).Select(g => g.First()).OrderBy(m => m.Place.Line).ThenBy(m => m.Place.Column).ToList();
        return all.Count == 0 ? settings : throw new ConfigurationMistakes(all);
    }

    private static Dictionary<string, string> OfTheProcess() =>
        Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().ToDictionary(e => (string)e.Key, e => (string?)e.Value ?? "");
}
