using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn;

namespace MetaPrompts.Model.Fast;

/// <summary>Goes through a network once after its weights are on their device and in their type.</summary>
internal static class Preparation
{
    // Below it an operation is too short to be worth sharing between threads; Stable Diffusion's UNet has 860 million.
    private const long Small = 50_000_000;

    /// <summary>Whether a network is served one frame a thread there (docs/decisions/0011-lanes.md).</summary>
    public static bool IsSmall(Module network, Device device) => device.type == DeviceType.CPU && network.parameters().Sum(parameter => parameter.numel()) < Small;

    /// <returns>What was chosen; grows while the first frame passes.</returns>
    public static FastPlan Apply(Module network, Speedups on, Device device, ScalarType type)
    {
        var plan = new FastPlan(on, device, type, IsSmall(network, device));
        if ((on & ~Speedups.StepCache) == 0) return plan;
        using var none = no_grad();
        // TorchSharp names a module's descendants and not the module itself.
        foreach (var module in network.modules().Prepend(network).OfType<IPreparable>().Distinct().ToList()) module.Prepare(plan);
        return plan;
    }
}
