using MetaPrompts.Core.Frames;
using MetaPrompts.Core.Results;
using MetaPrompts.Io.Imaging;
using MetaPrompts.Training.Data;
using MetaPrompts.Training.Data.Scenes;

namespace MetaPrompts.Training.Tests.Data.Sets;

/// <summary>A temporary folder into which rendered scenes are written in the layouts of data sets.</summary>
public sealed class SetFolder : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("metaprompts-set-").FullName;

    public string At(string relative) => Path.Combine(Root, relative);

    public static SceneFrame Scene(int index, int height = 64, int width = 96) => SyntheticScenes.Validation(index, new ImageSize(height, width));

    public void Picture(string relative, SceneFrame scene) => PngPictures.WriteRgb(Ready(relative), scene.Rgb, scene.Size);

    public void Depth(string relative, SceneFrame scene, double metresPerStep) =>
        File.WriteAllBytes(Ready(relative), PngMaps.Instance.Encode(new DepthPrediction(scene.Size, Known(scene), "truth"), metresPerStep));

    /// <param name="label">From the scene's class to what the layout writes.</param>
    public void Labels(string relative, SceneFrame scene, Func<byte, byte> label) => PngPictures.WriteGrey(Ready(relative), Array.ConvertAll(scene.ClassIds, id => label(id)), scene.Size);

    public void Text(string relative, string text) => File.WriteAllText(Ready(relative), text);

    /// <summary>The sky, 0.</summary>
    public static float[] Known(SceneFrame scene) => Array.ConvertAll(scene.Depth, metres => float.IsFinite(metres) ? metres : 0);

    /// <summary>Equal to within a step, as far as 16 bits reach.</summary>
    public static void Near(float[] expected, float[]? actual, double step)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            if (expected[i] < 60) Assert.InRange(actual[i], expected[i] - step, expected[i] + step);
    }

    private string Ready(string relative)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(relative))!);
        return At(relative);
    }

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
