using MetaPrompts.Core.Errors;

namespace MetaPrompts.Model.Inference;

/// <summary>Computes the sha256 of a model's weights while they are loaded: the file comes from the disk once, and loading does not wait.</summary>
internal sealed class WeightsSha256 : IDisposable
{
    private readonly ModelFiles _files;
    private readonly Stream _weights;
    private readonly Task<string> _sha;

    /// <exception cref="ModelRefusedException">The weights cannot be opened.</exception>
    public WeightsSha256(ModelFiles files)
    {
        (_files, _weights) = (files, files.OpenWeights());
        _sha = Task.Run(() => Manifests.Sha256(_weights));
    }

    /// <summary>Waits for the result.</summary>
    /// <exception cref="ModelRefusedException">It is not the manifest's, or the file cannot be read.</exception>
    public void Check()
    {
        var manifest = _files.Manifest;
        string sha;
        try
        {
            sha = _sha.GetAwaiter().GetResult();
        }
        catch (IOException problem)
        {
            throw new ModelRefusedException(manifest.Weights, $"cannot be read ({problem.Message})", problem);
        }
        if (!string.Equals(sha, manifest.Sha256, StringComparison.OrdinalIgnoreCase))
            throw new ModelRefusedException(manifest.Name, $"sha256 of {manifest.Weights} is {sha[..12]}…, the manifest says {manifest.Sha256[..12]}…; the file was changed or damaged, get it again");
    }

    public void Dispose()
    {
        // Reading from a closed stream would fail in a thread that nobody listens to.
        _ = Task.WhenAny(_sha).GetAwaiter().GetResult();
        _weights.Dispose();
    }
}
