using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>Goes through a network once after its weights are on their device and in their type.</summary>
internal static class Preparation
{
    /// <returns>What was chosen; grows while the first frame passes.</returns>
    public static FastPlan Apply(Module network, Speedups on, Device device, ScalarType type)
    {
        var plan = new FastPlan(on, device, type);
        if ((on & ~Speedups.StepCache) == 0) return plan;
        using var none = no_grad();
        // TorchSharp names a module's descendants and not the module itself.
        foreach (var module in network.modules().Prepend(network).OfType<IPreparable>().Distinct().ToList()) module.Prepare(plan);
        return plan;
    }
}
