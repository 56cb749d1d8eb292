using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Holds the arrows between the projects and the frontiers of native types.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Assembly _core = typeof(Core.Frames.Frame).Assembly, _model = typeof(Model.Inference.PerceptionModels).Assembly,
        _io = typeof(Io.Capture.Sources).Assembly, _training = typeof(Training.Trainer).Assembly;

    public static TheoryData<string, string[]> Arrows => new()
    {
        { "MetaPrompts.Core", [] },
        { "MetaPrompts.Model", ["MetaPrompts.Core"] },
        { "MetaPrompts.Io", ["MetaPrompts.Core"] },
        { "MetaPrompts.Training", ["MetaPrompts.Core", "MetaPrompts.Io", "MetaPrompts.Model"] },
    };

    [Theory]
    [MemberData(nameof(Arrows))]
    public void ProjectsPointOneWay(string project, string[] allowed) =>
        Assert.Empty(References(Named(project)).Where(name => name.StartsWith("MetaPrompts.", StringComparison.Ordinal)).Except(allowed));

    [Theory]
    [InlineData("MetaPrompts.Core", "TorchSharp", "OpenCvSharp", "MQTTnet", "YamlDotNet", "System.CommandLine", "Spectre.Console")]
    [InlineData("MetaPrompts.Model", "OpenCvSharp", "MQTTnet", "YamlDotNet", "System.CommandLine", "Spectre.Console")]
    [InlineData("MetaPrompts.Io", "TorchSharp", "YamlDotNet", "System.CommandLine", "Spectre.Console")]
    [InlineData("MetaPrompts.Training", "OpenCvSharp", "MQTTnet", "YamlDotNet", "System.CommandLine", "Spectre.Console")]
    public void LibrariesStayInTheirRoom(string project, params string[] forbidden) =>
        Assert.Empty(References(Named(project)).Intersect(forbidden));

    [Fact]
    public void OpenCvAndMqttAreInNoPublicSignatureOfIo() => Assert.Empty(Exposed(_io, "OpenCvSharp", "MQTTnet"));

    [Fact]
    public void TheCheckerOfSignaturesSeesWhatItShould()
    {
        var shown = Exposed(typeof(ArchitectureTests).Assembly, "System.Text.RegularExpressions");
        Assert.Contains(shown, name => name.Contains(nameof(ShowsARegex), StringComparison.Ordinal));
    }

    [Fact]
    public void ModelHasNoAsyncMethod() => Assert.Empty(AsyncMethods(_model));

    [Fact]
    public void TheCheckerOfAsyncMethodsSeesThem() => Assert.NotEmpty(AsyncMethods(_core));

    [Fact]
    public void FolderPathIsNamespace()
    {
        var wrong = new List<string>();
        foreach (var path in Repository.Files("src", "*.cs"))
        {
            var declared = NamespaceLine().Match(File.ReadAllText(path));
            if (!declared.Success) continue;                                                   // top-level statements
            var folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(Repository.Root, "src"), path))!.Replace('/', '.');
            if (declared.Groups[1].Value != folder) wrong.Add($"{path}: {declared.Groups[1].Value}");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void NoFileIsLongerThan400Lines() => Assert.DoesNotContain(Repository.Files("src", "*.cs"), path => File.ReadLines(path).Count() > 400);

    [Fact]
    public void MemoryIsNoMatterOfTheCollector() =>
        Assert.DoesNotContain(Repository.Files("src", "*.cs"), path => File.ReadAllText(path) is var text && (text.Contains("GC.Collect", StringComparison.Ordinal) || FinalizerLine().IsMatch(text)));

    /// <summary>Public, with a type of a library: what the checker must find.</summary>
    public static Regex? ShowsARegex() => null;

    private static Assembly Named(string name) => new[] { _core, _model, _io, _training }.Single(assembly => assembly.GetName().Name == name);

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

    private static List<string> Exposed(Assembly assembly, params string[] libraries)
    {
        const BindingFlags Visible = BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var found = new List<string>();
        foreach (var type in assembly.GetExportedTypes())
        {
            var types = type.GetMethods(Visible).SelectMany(method => method.GetParameters().Select(parameter => (Member: method.Name, Type: parameter.ParameterType)).Append((Member: method.Name, Type: method.ReturnType)))
                .Concat(type.GetConstructors(Visible).SelectMany(constructor => constructor.GetParameters().Select(parameter => (Member: ".ctor", Type: parameter.ParameterType))))
                .Concat(type.GetFields(Visible).Select(field => (Member: field.Name, Type: field.FieldType)))
                .Concat(type.GetInterfaces().Select(implemented => (Member: "implements", Type: implemented)));
            if (type.BaseType is { } parent) types = types.Append((Member: "inherits", Type: parent));
            found.AddRange(types.Where(used => Parts(used.Type).Any(part => libraries.Contains(part.Assembly.GetName().Name))).Select(used => $"{type.Name}.{used.Member}: {used.Type}"));
        }
        return found;
    }

    /// <summary>A type and what it is made of: elements, arguments.</summary>
    private static IEnumerable<Type> Parts(Type type) => type.HasElementType ? Parts(type.GetElementType()!) : type.GetGenericArguments().SelectMany(Parts).Append(type);

    private static List<string> AsyncMethods(Assembly assembly) =>
        [.. assembly.GetTypes().SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.IsDefined(typeof(AsyncStateMachineAttribute)) || method.IsDefined(typeof(AsyncIteratorStateMachineAttribute)))
            .Select(method => $"{method.DeclaringType}.{method.Name}")];

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"^\s*~\w+\(\)", RegexOptions.Multiline)]
    private static partial Regex FinalizerLine();
}
