using MetaPrompts.Core.Configuration;
using MetaPrompts.Core.Doors;
using MetaPrompts.Core.Frames;

namespace MetaPrompts.Core.Flow;

/// <summary>Accepts the first frame it sees and then every <paramref name="n"/>-th (<c>--every</c>).</summary>
public sealed class EveryNth(int n) : IFrameFilter
{
    private readonly int _n = OptionsCheck.InRange("every", n, 1, int.MaxValue);
    private int _untilNext;

    public bool Accepts(Frame frame)
    {
        if (_untilNext-- > 0) return false;
        _untilNext = _n - 1;
        return true;
    }
}
