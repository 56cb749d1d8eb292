using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Modules;

/// <summary>
/// Gradient checkpointing (Chen et al. 2016): the forward pass keeps a segment's inputs and outputs, the backward pass computes what lies between once more. The graph is cut at each segment and the
/// gradients are carried over the cuts here, last segment first; TorchSharp's custom functions would do it inside libtorch's backward pass, where an exception ends the process (docs/decisions).
/// One network on one thread. Owns what it keeps, from the forward pass to <see cref="Backward"/>.
/// </summary>
public sealed class GradientCheckpoints : IDisposable
{
    private readonly Stack<Segment> _segments = [];
    private readonly List<ICheckpointed> _modules;

    /// <param name="network">Its segments report here from now on; the network itself may be one.</param>
    public GradientCheckpoints(Module network)
    {
        ArgumentNullException.ThrowIfNull(network);
        _modules = [.. network.modules().Prepend(network).OfType<ICheckpointed>().Distinct()];
        foreach (var module in _modules) module.Checkpoints = this;
    }

    /// <summary>Segments whose backward pass is still to come.</summary>
    public int Waiting => _segments.Count;

    /// <summary>Runs a segment; while gradients are recorded, without keeping its activations.</summary>
    /// <param name="segment">Computes the same again when it is called again; what gradients are wanted of comes in as input or is a parameter.</param>
    /// <param name="inputs">Borrowed. Two segments may share an input; graph between an input and another segment's output that is shared as well must be a segment itself (or <see cref="Cut"/>).</param>
    /// <returns>The caller's.</returns>
    public Tensor Run(Func<IReadOnlyList<Tensor>, Tensor> segment, params IReadOnlyList<Tensor> inputs)
    {
        ArgumentNullException.ThrowIfNull(segment);
        if (!is_grad_enabled()) return segment(inputs);
        using var scope = NewDisposeScope();
        var kept = new Segment(inputs, segment);
        _segments.Push(kept);
        using (no_grad()) kept.Out = segment(kept.Inputs).detach().DetachFromDisposeScope();
        kept.Out.requires_grad_(true);
        return kept.Out.alias().MoveToOuterDisposeScope();
    }

    /// <summary>The same values for any number of segments: what led to them is gone through once, after all of these.</summary>
    /// <param name="tensors">Borrowed.</param>
    /// <returns>The caller's.</returns>
    public IReadOnlyList<Tensor> Cut(IReadOnlyList<Tensor> tensors)
    {
        if (!is_grad_enabled()) return [.. tensors.Select(tensor => tensor.alias())];
        var kept = new Segment(tensors, null);
        _segments.Push(kept);
        return [.. kept.Inputs.Select(input => input.alias())];
    }

    /// <summary>What <c>loss.backward()</c> does, through the segments as well. Keeps nothing afterwards, also when it fails.</summary>
    /// <param name="loss">A scalar of the forward pass since the last call; borrowed.</param>
    public void Backward(Tensor loss)
    {
        ArgumentNullException.ThrowIfNull(loss);
        try
        {
            loss.backward();
            while (_segments.TryPop(out var segment))
            {
                using (segment) segment.Backward();
            }
        }
        finally
        {
            Forget();
        }
    }

    /// <summary>Drops a forward pass whose gradients nobody wants any more.</summary>
    public void Forget()
    {
        while (_segments.TryPop(out var segment)) segment.Dispose();
    }

    /// <summary>The network keeps its activations again.</summary>
    public void Dispose()
    {
        Forget();
        foreach (var module in _modules) module.Checkpoints = null;
    }

    /// <summary>Inputs apart from the graph they came from, and that graph. Owns all of them.</summary>
    private sealed class Segment : IDisposable
    {
        private readonly Func<IReadOnlyList<Tensor>, Tensor>? _run;
        private readonly List<Tensor?> _roots = [];

        public Segment(IReadOnlyList<Tensor> inputs, Func<IReadOnlyList<Tensor>, Tensor>? run)
        {
            _run = run;
            foreach (var input in inputs)
            {
                // The forward pass disposes what it has read; views of our own stay.
                _roots.Add(input.requires_grad ? input.alias().DetachFromDisposeScope() : null);
                var cut = input.detach().DetachFromDisposeScope();
                Inputs.Add(cut.requires_grad_(input.requires_grad));
            }
        }

        public List<Tensor> Inputs { get; } = [];

        public Tensor? Out { get; set; }

        public void Backward()
        {
            using var scope = NewDisposeScope();
            if (_run is not null)
            {
                if (Out!.grad is not { } gradient) return;                                     // nobody read it
                var again = _run(Inputs);
                if (!again.requires_grad) return;                                              // nothing in it learns
                autograd.backward([again], [gradient]);
            }
            var (roots, gradients) = (new List<Tensor>(), new List<Tensor>());
            for (var i = 0; i < Inputs.Count; i++)
            {
                if (_roots[i] is not { } root || Inputs[i].grad is not { } gradient) continue;
                roots.Add(root);
                gradients.Add(gradient);
            }
            if (roots.Count > 0) autograd.backward(roots, gradients);
        }

        public void Dispose()
        {
            foreach (var root in _roots) root?.Dispose();
            foreach (var input in Inputs) input.Dispose();
            Out?.Dispose();
        }
    }
}
