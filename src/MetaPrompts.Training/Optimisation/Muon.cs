using TorchSharp;
using static TorchSharp.torch;

namespace MetaPrompts.Training.Optimisation;

/// <summary>
/// Muon (Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"): a matrix moves by its momentum with all singular values made about equal, along every direction the gradients
/// agree on and not only along the few loud ones.
/// </summary>
public static class Muon
{
    private const double Momentum = 0.95;
    private const int Iterations = 5, LeastSide = 16;
    private static readonly (float A, float B, float C) _quintic = (3.4445f, -4.7750f, 2.0315f);     // the original's: steep at zero, singular values end between 0.7 and 1.2

    /// <summary>Weights of hidden layers; what lies directly on a network (prompts, timesteps) is looked up, not multiplied through, and a few rows or columns are no matrix worth the name.</summary>
    public static bool Suits(string name, Tensor parameter)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(parameter);
        return name.Contains('.', StringComparison.Ordinal) && parameter.dim() > 1 && parameter.shape[0] >= LeastSide && parameter.numel() / parameter.shape[0] >= LeastSide;
    }

    /// <summary>What to take, times the learning rate, from a parameter. As large as an AdamW update is (root mean square of 0.2, Liu et al. 2025, "Muon is Scalable for LLM Training"), so that the same rate and decay serve both.</summary>
    /// <param name="gradient">[outputs, ...] in float32; a convolution counts as [outputs, inputs × kernel].</param>
    /// <param name="mean">The running mean of gradients, which is updated.</param>
    /// <returns>Of the gradient's shape, the caller's.</returns>
    public static Tensor Update(Tensor gradient, Tensor mean)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        ArgumentNullException.ThrowIfNull(mean);
        using var scope = NewDisposeScope();
        mean.lerp_(gradient, 1 - Momentum);
        var rows = gradient.shape[0];
        var matrix = gradient.lerp(mean, Momentum).reshape(rows, -1);                                // Nesterov's look ahead
        return Orthogonalised(matrix).mul(0.2 * Math.Sqrt(Math.Max(rows, matrix.shape[1]))).reshape(gradient.shape).MoveToOuterDisposeScope();
    }

    /// <summary>Newton-Schulz iterations of a polynomial that drives singular values towards one and leaves singular vectors alone.</summary>
    /// <param name="matrix">[M, N].</param>
    /// <returns>[M, N], the caller's.</returns>
    public static Tensor Orthogonalised(Tensor matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        using var scope = NewDisposeScope();
        var tall = matrix.shape[0] > matrix.shape[1];
        var x = tall ? matrix.t().contiguous() : matrix;
        x = x / (x.norm() + 1e-7f);
        for (var i = 0; i < Iterations; i++)
        {
            var square = x.mm(x.t());
            x = addmm(x, addmm(square, square, square, _quintic.B, _quintic.C), x, _quintic.A, 1);
        }
        return (tall ? x.t() : x).MoveToOuterDisposeScope();
    }
}
