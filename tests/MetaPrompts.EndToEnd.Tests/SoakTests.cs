using System.Text.Json;
using MetaPrompts.Testing;

namespace MetaPrompts.EndToEnd.Tests;

/// <summary>The soak of tests/soak.sh, short: cameras and a broker that are killed and frozen at random.</summary>
public sealed class SoakTests
{
    [Fact]
    public void TwoMinutesOfFaultsLeaveNothingBehind()
    {
        Assert.SkipUnless(RtspCamera.IsInstalled && Mosquitto.Program is not null, "mosquitto or GStreamer's RTSP server is not installed (build/setup.sh names the packages)");
        using var workspace = new Workspace();
        var output = workspace.Run(Path.Combine(Repository.Root, "tests", "soak.sh"), $"2 {workspace.Folder}");
        var result = JsonDocument.Parse(output.Split('\n', StringSplitOptions.RemoveEmptyEntries)[^1]).RootElement;
        Assert.Equal(0, result.GetProperty("failures").GetArrayLength());
        Assert.NotEmpty(result.GetProperty("faults").EnumerateObject());
    }
}
