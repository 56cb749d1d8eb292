using System.Threading.Channels;

namespace MetaPrompts.Core.Flow;

public static class Edge
{
    /// <summary>Opens a queue with one reader. What the policy throws out goes to <paramref name="dropped"/>, which must dispose and count it.</summary>
    public static Channel<T> Open<T>(BackpressurePolicy policy, Action<T> dropped)
    {
        ArgumentNullException.ThrowIfNull(policy);
        return Channel.CreateBounded(
            new BoundedChannelOptions(policy.Capacity)
            {
                FullMode = policy.WhenFull switch
                {
                    WhenFull.DropOldest => BoundedChannelFullMode.DropOldest,
                    WhenFull.DropNewest => BoundedChannelFullMode.DropWrite,
                    _ => BoundedChannelFullMode.Wait,
                },
                SingleReader = true,
            },
            dropped);
    }
}
