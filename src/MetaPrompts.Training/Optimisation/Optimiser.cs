using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Optimisation;

/// <summary>A parameter with its share of the learning rate.</summary>
/// <param name="Rate">Times the schedule's rate.</param>
public sealed record TrainedParameter(string Name, Parameter Value, double Rate, double WeightDecay);

/// <summary>How parameters move.</summary>
public enum OptimiserRule
{
    /// <summary>Each number for itself (Loshchilov &amp; Hutter 2019), as the published trainings do.</summary>
    AdamW,

    /// <summary>Matrices as <see cref="Optimisation.Muon"/> has it, the rest by AdamW.</summary>
    Muon,
}

/// <summary>
/// AdamW or Muon with float32 masters for parameters of lower precision. TorchSharp's own have no state that could be saved, and an exact resume needs it.
/// A float32 parameter is its own master. Owns masters and moments.
/// </summary>
public sealed class Optimiser : IDisposable
{
    private const double Epsilon = 1e-8;
    private readonly double _beta1, _beta2;
    private readonly int _threads;
    private readonly List<Trained> _all = [];

    /// <param name="Square">Running mean of squares; null for a matrix that Muon moves.</param>
    private sealed record Trained(TrainedParameter Parameter, Tensor Master, Tensor Mean, Tensor? Square);

    /// <param name="beta2">0.98 forgets a gradient that was an exception sooner; the published trainings use torch's 0.999.</param>
    /// <param name="threads">Parameters updated at a time: they do not touch each other, so the result is the same.</param>
    public Optimiser(IEnumerable<TrainedParameter> parameters, OptimiserRule rule = OptimiserRule.AdamW, double beta1 = 0.9, double beta2 = 0.98, int threads = 1)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        (_beta1, _beta2, _threads) = (beta1, beta2, threads);
        using var none = no_grad();
        foreach (var parameter in parameters)
        {
            using var value = parameter.Value.detach();
            var master = value.dtype == ScalarType.Float32 ? value.alias() : value.to(ScalarType.Float32);
            var square = rule == OptimiserRule.Muon && Muon.Suits(parameter.Name, master) ? null : zeros_like(master);
            _all.Add(new Trained(parameter, master, zeros_like(master), square));
        }
    }

    public int Steps { get; private set; }

    /// <summary>Float32 weights by name: what is averaged and saved. Borrowed.</summary>
    public IEnumerable<(string Name, Tensor Master)> Masters => _all.Select(one => (one.Parameter.Name, one.Master));

    /// <summary>One update from the gradients at hand, which are then cleared.</summary>
    /// <returns>The gradients' norm before clipping.</returns>
    public double Step(double learningRate, double clipNorm)
    {
        using var none = no_grad();
        using var scope = NewDisposeScope();
        Steps++;
        var norm = Math.Sqrt(stack([.. _all.Select(one => Square(one.Parameter.Value.grad, one.Master.device))]).sum().item<float>());
        if (!double.IsFinite(norm)) return norm;

        var clip = Math.Min(1, clipNorm / (norm + 1e-6));
        Parallel.ForEach(_all, new ParallelOptions { MaxDegreeOfParallelism = _threads }, one => Move(one, learningRate * one.Parameter.Rate, clip));
        return norm;
    }

    /// <summary>A large network's gradients in float32 are as large as itself: they exist one at a time, or as many as there are threads.</summary>
    private void Move(Trained one, double rate, double clip)
    {
        using var none = no_grad();                                                                   // it counts for a thread
        using var scope = NewDisposeScope();
        var (parameter, master, mean, square) = one;
        // A parameter no path of this step reached (a refine step that was not run) counts as one with gradient 0, whether or not an earlier step left it a
        // gradient to clear: otherwise a resumed run would differ from one that was never interrupted.
        var gradient = (parameter.Value.grad?.to(ScalarType.Float32) ?? zeros_like(master)).mul(clip);
        if (parameter.WeightDecay > 0) master.mul_(1 - rate * parameter.WeightDecay);
        if (square is null)
        {
            master.add_(Muon.Update(gradient, mean), alpha: -rate);
        }
        else
        {
            var (first, second) = (1 - Math.Pow(_beta1, Steps), Math.Sqrt(1 - Math.Pow(_beta2, Steps)));
            mean.mul_(_beta1).add_(gradient, alpha: 1 - _beta1);
            square.mul_(_beta2).addcmul_(gradient, gradient, value: 1 - _beta2);
            master.addcdiv_(mean, square.sqrt().div_(second).add_(Epsilon), value: -rate / first);
        }
        if (parameter.Value.dtype != ScalarType.Float32) parameter.Value.copy_(master);
        parameter.Value.grad?.zero_();
    }

    /// <returns>A scalar, the caller's.</returns>
    private static Tensor Square(Tensor? gradient, Device device)
    {
        if (gradient is null) return zeros([], device: device);
        using var scope = NewDisposeScope();
        return gradient.to(ScalarType.Float32).pow(2).sum().MoveToOuterDisposeScope();
    }

    /// <summary>State by name, for <see cref="Restore"/>. Borrowed.</summary>
    public IReadOnlyDictionary<string, Tensor> State()
    {
        var state = new Dictionary<string, Tensor>();
        foreach (var (parameter, master, mean, square) in _all)
        {
            state["master/" + parameter.Name] = master;
            state["mean/" + parameter.Name] = mean;
            if (square is not null) state["square/" + parameter.Name] = square;
        }
        return state;
    }

    /// <param name="read">Fills a tensor from the saved one of that name.</param>
    public void Restore(int steps, Action<string, Tensor> read)
    {
        ArgumentNullException.ThrowIfNull(read);
        using var none = no_grad();
        Steps = steps;
        foreach (var (name, tensor) in State()) read(name, tensor);
        foreach (var (parameter, master, _, _) in _all)
        {
            if (parameter.Value.dtype != ScalarType.Float32) parameter.Value.copy_(master);
        }
    }

    public void Dispose()
    {
        foreach (var (_, master, mean, square) in _all)
        {
            master.Dispose();
            mean.Dispose();
            square?.Dispose();
        }
    }
}
