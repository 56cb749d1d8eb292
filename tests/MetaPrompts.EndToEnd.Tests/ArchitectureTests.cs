using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>Holds the arrows between the projects and the frontiers of native types.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly Assembly _core = typeof(Core.Frames.Frame).Assembly, _model = typeof(Model.Inference.PerceptionModels).Assembly,
        _io = typeof(Io.Capture.Sources).Assembly, _training = typeof(Training.Trainer).Assembly, _cli = Assembly.Load("metaprompts");

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

    /// <summary>The compiler forgets a reference that no line uses; the project file does not.</summary>
    [Theory]
    [MemberData(nameof(Arrows))]
    public void ProjectFilesPointOneWayToo(string project, string[] allowed) =>
        Assert.Empty(InProjectFile(project, "ProjectReference").Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/'))).Except(allowed));

    [Fact]
    public void CoreNeedsOnlyThePlatformAndTheLogInterface()
    {
        Assert.Equal(["Microsoft.Extensions.Logging.Abstractions"], InProjectFile("MetaPrompts.Core", "PackageReference"));
        Assert.All(References(_core), name => Assert.True(name is "Microsoft.Extensions.Logging.Abstractions" || name.StartsWith("System.", StringComparison.Ordinal), name));
    }

    [Fact]
    public void TheCheckerOfReferencesSeesThem()
    {
        Assert.Contains("MetaPrompts.Core", References(_io));
        Assert.Contains("OpenCvSharp", References(_io));
        Assert.Contains("TorchSharp", References(_model));
        Assert.Contains(InProjectFile("MetaPrompts.Training", "ProjectReference"), path => path.Contains("MetaPrompts.Model", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Tensor")]
    [InlineData("Module")]
    [InlineData("Mat")]
    public void TensorsModulesAndMatsAreNotTheCommandLines(string type) => Assert.DoesNotContain(type, NativeTypesUsed(_cli));

    [Fact]
    public void TheCheckerOfUsedTypesSeesThem()
    {
        Assert.Superset(new HashSet<string> { "Tensor", "Module" }, NativeTypesUsed(_model));
        Assert.Contains("Mat", NativeTypesUsed(_io));
    }

    [Fact]
    public void MqttStaysInItsFolder() => Assert.All(FilesThatSay("MQTTnet"), path => Assert.Contains("/MetaPrompts.Io/Mqtt/", path, StringComparison.Ordinal));

    [Fact]
    public void TheCheckerOfWordsSeesThem() => Assert.Contains(FilesThatSay("OpenCvSharp"), path => path.Contains("/MetaPrompts.Io/", StringComparison.Ordinal));

    [Fact]
    public void OpenCvAndMqttAreInNoPublicSignatureOfIo() => Assert.Empty(Exposed(_io, "OpenCvSharp", "MQTTnet"));

    [Fact]
    public void TheCheckerOfSignaturesSeesWhatItShould()
    {
        var shown = Exposed(typeof(ArchitectureTests).Assembly, "System.Text.RegularExpressions");
        string[] expected = [nameof(ShowsRegex.Plain), nameof(ShowsRegex.InsideOthers), "ForHeirs", "get_Property", "inherits"];
        Assert.All(expected, member => Assert.Contains(shown, name => name.Contains($"{nameof(ShowsRegex)}.{member}:", StringComparison.Ordinal)));
        Assert.DoesNotContain(shown, name => name.Contains("Unseen", StringComparison.Ordinal));
    }

    [Fact]
    public void ModelHasNoAsyncMethod() => Assert.Empty(AsyncMethods(_model));

    [Fact]
    public void TheCheckerOfAsyncMethodsSeesThem() => Assert.NotEmpty(AsyncMethods(_core));

    /// <summary>Waits, ages and deadlines are of the monotonic clock: the wall clock is set, jumps and repeats an hour a year. Who reads it only writes it down.</summary>
    [Fact]
    public void TheWallClockIsReadOnlyWhereItIsWrittenDown() => Assert.Equal(
        [
            "src/MetaPrompts.Cli/Benchmarking/Measured.cs", "src/MetaPrompts.Cli/Display/ServiceLog.cs", "src/MetaPrompts.Cli/Live/LiveRun.cs", "src/MetaPrompts.Cli/Verbs/Listen.cs",
            "src/MetaPrompts.Core/Flow/StreamBoard.cs", "src/MetaPrompts.Io/Capture/CameraSource.cs", "src/MetaPrompts.Io/Capture/ImageFolderSource.cs", "src/MetaPrompts.Io/Capture/OpenCvVideoSource.cs",
            "src/MetaPrompts.Io/Capture/SyntheticSource.cs", "src/MetaPrompts.Io/Capture/VideoFileSource.cs", "src/MetaPrompts.Training/Reports/EventFile.cs",
        ],
        Repository.Files("src", "*.cs").Where(path => WallClock().IsMatch(File.ReadAllText(path))).Select(path => Path.GetRelativePath(Repository.Root, path)).Order(StringComparer.Ordinal));

    [Theory]
    [InlineData("DateTimeOffset.UtcNow", true)]
    [InlineData("DateTime.Now", true)]
    [InlineData("time.GetUtcNow()", true)]
    [InlineData("Environment.TickCount64", false)]
    [InlineData("time.GetTimestamp()", false)]
    public void TheCheckerOfTheWallClockSeesEachForm(string source, bool seen) => Assert.Equal(seen, WallClock().IsMatch(source));

    [System.Text.RegularExpressions.GeneratedRegex(@"DateTime(Offset)?\.(UtcNow|Now|Today)\b|\.Get(Utc|Local)Now\(")]
    private static partial System.Text.RegularExpressions.Regex WallClock();

    [Fact]
    public void FolderPathIsNamespace()
    {
        var wrong = new List<string>();
        foreach (var path in Repository.Files("src", "*.cs"))
        {
            var declared = NamespaceLine().Match(File.ReadAllText(path));
            var folder = Path.GetDirectoryName(Path.GetRelativePath(Path.Combine(Repository.Root, "src"), path))!.Replace('/', '.');
            if (declared.Groups[1].Value != folder) wrong.Add($"{path}: '{declared.Groups[1].Value}'");
        }
        Assert.Empty(wrong);
    }

    [Fact]
    public void NoFileIsLongerThan400Lines() => Assert.DoesNotContain(Repository.Files("src", "*.cs"), path => File.ReadLines(path).Count() > 400);

    [Fact]
    public void MemoryIsNoMatterOfTheCollector() =>
        Assert.DoesNotContain(Repository.Files("src", "*.cs"), path => LeansOnTheCollector(File.ReadAllText(path)));

    [Theory]
    [InlineData("GC.Collect();", true)]
    [InlineData("internal sealed class Held\n{\n    ~Held() => Free();\n}", true)]
    [InlineData("var mask = ~Mask(bits);", false)]
    public void TheCheckerOfTheCollectorSeesBothForms(string source, bool seen) => Assert.Equal(seen, LeansOnTheCollector(source));

    private static bool LeansOnTheCollector(string source) => source.Contains("GC.Collect", StringComparison.Ordinal) || FinalizerLine().IsMatch(source);

    private static List<string> FilesThatSay(string word) => [.. Repository.Files("src", "*.cs").Where(path => File.ReadAllText(path).Contains(word, StringComparison.Ordinal))];

    private static IEnumerable<string> InProjectFile(string project, string element) =>
        XDocument.Load(Path.Combine(Repository.Root, "src", project, project + ".csproj")).Descendants(element).Select(reference => reference.Attribute("Include")!.Value);

    /// <summary>Names of types of TorchSharp and OpenCvSharp that the code itself uses, private lines included.</summary>
    private static HashSet<string> NativeTypesUsed(Assembly assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly.Location));
        var metadata = file.GetMetadataReader();
        return [.. metadata.TypeReferences.Select(metadata.GetTypeReference).Where(type => Library(metadata, type) is "TorchSharp" or "OpenCvSharp").Select(type => metadata.GetString(type.Name).Split('`')[0])];
    }

    /// <summary>A nested type (torch.Tensor) belongs where the outermost does.</summary>
    private static string? Library(MetadataReader metadata, TypeReference type) => type.ResolutionScope.Kind switch
    {
        HandleKind.TypeReference => Library(metadata, metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope)),
        HandleKind.AssemblyReference => metadata.GetString(metadata.GetAssemblyReference((AssemblyReferenceHandle)type.ResolutionScope).Name),
        _ => null,
    };

    private static Assembly Named(string name) => new[] { _core, _model, _io, _training }.Single(assembly => assembly.GetName().Name == name);

    private static IEnumerable<string> References(Assembly assembly) => assembly.GetReferencedAssemblies().Select(reference => reference.Name!);

    private static List<string> Exposed(Assembly assembly, params string[] libraries)
    {
        const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;
        var found = new List<string>();
        foreach (var type in assembly.GetExportedTypes())
        {
            var types = type.GetMethods(Declared).Where(IsVisible).SelectMany(method => method.GetParameters().Select(parameter => (Member: method.Name, Type: parameter.ParameterType)).Append((Member: method.Name, Type: method.ReturnType)))
                .Concat(type.GetConstructors(Declared).Where(IsVisible).SelectMany(constructor => constructor.GetParameters().Select(parameter => (Member: ".ctor", Type: parameter.ParameterType))))
                .Concat(type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily || field.IsFamilyOrAssembly).Select(field => (Member: field.Name, Type: field.FieldType)))
                .Concat(type.GetInterfaces().Select(implemented => (Member: "implements", Type: implemented)));
            if (type.BaseType is { } parent) types = types.Append((Member: "inherits", Type: parent));
            found.AddRange(types.Where(used => Parts(used.Type).Any(part => libraries.Contains(part.Assembly.GetName().Name))).Select(used => $"{type.Name}.{used.Member}: {used.Type}"));
        }
        return found;
    }

    /// <summary>To any other assembly: public, or protected.</summary>
    private static bool IsVisible(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

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

/// <summary>Shows a library's type in every way the checker of signatures must find, and in two it must leave alone.</summary>
public class ShowsRegex(string pattern) : Regex(pattern)
{
    public static Regex? Property => null;

    public static Regex? Plain() => null;

    public static IReadOnlyList<Dictionary<string, Match[]>> InsideOthers() => [];

    protected static void ForHeirs(ref Match match) => ArgumentNullException.ThrowIfNull(match);

    internal static Regex? UnseenInternal() => null;

    private static Regex? UnseenPrivate() => UnseenInternal();
}
