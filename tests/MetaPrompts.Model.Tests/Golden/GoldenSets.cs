using MetaPrompts.Model.Verification;
using MetaPrompts.Testing;

namespace MetaPrompts.Model.Tests.Golden;

/// <summary>The golden files where the tests find them.</summary>
internal static class GoldenSets
{
    public static string Root { get; } = Path.GetDirectoryName(Path.GetDirectoryName(GoldenFixture.PathOf("depth", "case0.safetensors")))!;

    public static GoldenModel Model(string task) => new(Path.Combine(Root, task));

    public static GoldenCase Case(string task, string file) => new(GoldenFixture.PathOf(task, file));
}
