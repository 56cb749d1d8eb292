using static TorchSharp.torch;

namespace MetaPrompts.Model.Steps;

/// <summary>The cached timestep features: each refine step prepared when first asked for, then kept. Any thread may ask.</summary>
/// <param name="prepare">Step number, from 1, to its features; the same computation training calls.</param>
public sealed class StepCache(Func<int, StepFeatures> prepare) : IDisposable
{
    private readonly Lock _filling = new();
    private readonly List<StepFeatures> _steps = [];

    /// <summary>Features of steps 1…<paramref name="count"/>, borrowed until <see cref="Drop"/>.</summary>
    public IReadOnlyList<StepFeatures> First(int count)
    {
        lock (_filling)
        {
            using var none = no_grad();
            while (_steps.Count < count)
            {
                var step = prepare(_steps.Count + 1);
                step.Keep();
                _steps.Add(step);
            }
            return _steps.GetRange(0, count);
        }
    }

    /// <summary>Forgets everything: call after the weights have changed, while nobody computes.</summary>
    public void Drop()
    {
        lock (_filling)
        {
            foreach (var step in _steps) step.Dispose();
            _steps.Clear();
        }
    }

    public void Dispose() => Drop();
}
