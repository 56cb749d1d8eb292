namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>The bones a figure is posed by; MakeHuman's 163 are counted among them.</summary>
internal enum FigureBone : byte
{
    Torso, Neck, Head, LeftShoulder, RightShoulder, LeftUpperArm, RightUpperArm, LeftLowerArm, RightLowerArm, LeftHand, RightHand,
    LeftUpperLeg, RightUpperLeg, LeftLowerLeg, RightLowerLeg, LeftFoot, RightFoot,
}

internal static class FigureBones
{
    public static int Count { get; } = Enum.GetValues<FigureBone>().Length;

    /// <summary>The left bone of a pair, or the right one.</summary>
    /// <param name="side">0 left, 1 right.</param>
    public static FigureBone Of(this FigureBone left, int side) => (FigureBone)((int)left + side);

    /// <summary>Which bone one of MakeHuman's belongs to; what is not named otherwise is part of the head: its face has most of the names.</summary>
    /// <param name="name">For example <c>lowerarm02.L____head</c>.</param>
    public static FigureBone Of(string name)
    {
        var right = name.Contains(".R", StringComparison.Ordinal);
        FigureBone Side(FigureBone left) => right ? left + 1 : left;
        bool Begins(params ReadOnlySpan<string> starts)
        {
            foreach (var start in starts)
                if (name.StartsWith(start, StringComparison.Ordinal)) return true;
            return false;
        }
        if (Begins("root", "spine", "pelvis", "breast")) return FigureBone.Torso;
        if (Begins("neck")) return FigureBone.Neck;
        if (Begins("clavicle", "shoulder")) return Side(FigureBone.LeftShoulder);
        if (Begins("upperarm")) return Side(FigureBone.LeftUpperArm);
        if (Begins("lowerarm")) return Side(FigureBone.LeftLowerArm);
        if (Begins("wrist", "finger", "metacarpal")) return Side(FigureBone.LeftHand);
        if (Begins("upperleg")) return Side(FigureBone.LeftUpperLeg);
        if (Begins("lowerleg")) return Side(FigureBone.LeftLowerLeg);
        return Begins("foot", "toe") ? Side(FigureBone.LeftFoot) : FigureBone.Head;
    }
}
