using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>How a person stands in a scene, which a figure takes on: its joints come to lie where the person's are.</summary>
/// <param name="Joints">17, COCO order, world.</param>
/// <param name="Head">Middle of the skull.</param>
/// <param name="Stature">Metres from sole to crown if it stood.</param>
/// <param name="Girth">Times the figure's own.</param>
internal sealed record FigureStance(Vector3[] Joints, Vector3 Pelvis, Vector3 Neck, Vector3 Spine, Vector3 Left, Vector3 Forward, Vector3 Head, Vector3 Face, float HeadRadius, float Stature, float Girth);
