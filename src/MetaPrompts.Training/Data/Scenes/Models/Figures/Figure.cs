using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>A clothed human body at rest: metres, y up, facing +z, left at -x as everywhere in scenes.</summary>
/// <param name="Fine">As modelled.</param>
/// <param name="Coarse">For when it is small in the picture.</param>
internal sealed record Figure(TriangleMesh Fine, TriangleMesh Coarse, FigurePiece[] Pieces, FigureRest Rest);

internal enum PieceKind : byte
{
    Skin,
    Clothes,
    Hair,
}

/// <summary>The body, or one of the things it wears.</summary>
internal sealed record FigurePiece(PieceKind Kind, SurfacePicture Picture);

/// <summary>Where a figure's joints are at rest.</summary>
/// <param name="From">Where each bone begins, by <see cref="FigureBone"/>.</param>
/// <param name="To">Where it ends.</param>
/// <param name="Height">From sole to crown.</param>
internal sealed record FigureRest(Vector3[] From, Vector3[] To, Vector3 LeftEye, Vector3 RightEye, Vector3 LeftEar, Vector3 RightEar, Vector3 Nose, float Height);
