using MetaPrompts.Core.Errors;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Model.Inference;

/// <summary>A manifest and the way to its weights: two files, or two resources of this assembly.</summary>
internal sealed class ModelFiles
{
    private readonly Func<Stream> _weights;

    private ModelFiles(ModelManifest manifest, Func<Stream> weights) => (Manifest, _weights) = (manifest, weights);

    public ModelManifest Manifest { get; }

    public static ModelFiles OfPath(string path)
    {
        using var json = Open(path);
        var manifest = Manifests.Parse(json, Path.GetFileName(path));
        return new(manifest, () => Open(Path.Combine(Path.GetDirectoryName(path)!, manifest.Weights)));
    }

    public static ModelFiles OfResource(string name)
    {
        using var json = Resource(name + ".json");
        return new(Manifests.Parse(json, name), () => Resource(name + ".safetensors"));
    }

    /// <returns>Seekable, the caller's.</returns>
    public Stream OpenWeights() => _weights();

    private static Stream Resource(string name) => typeof(ModelFiles).Assembly.GetManifestResourceStream(name)
        ?? throw new ModelRefusedException(name, "is not inside this build");

    private static FileStream Open(string path)
    {
        try
        {
            return File.OpenRead(path);
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException)
        {
            throw new ModelRefusedException(Path.GetFileName(path), $"cannot be opened ({problem.Message})", problem);
        }
    }
}
