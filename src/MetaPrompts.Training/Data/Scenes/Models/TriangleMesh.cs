using System.Numerics;
using MetaPrompts.Training.Data.Scenes.Models.Figures;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>Triangles of a model at rest, in metres.</summary>
/// <param name="Holds">Of what is posed: four bones per vertex, their weights summing to 1. Empty for what is stiff.</param>
/// <param name="Corners">Three per triangle: vertex and texture coordinate.</param>
/// <param name="Pieces">Piece of the model each triangle belongs to.</param>
internal sealed record TriangleMesh(Vector3[] Vertices, (FigureBone Bone, float Weight)[] Holds, Vector2[] TextureCoordinates, (int Vertex, int Texture)[] Corners, byte[] Pieces)
{
    public const int HoldsPerVertex = 4;

    /// <summary>The same with all vertices of a piece and a cube made one: enough for a model that is small in the picture.</summary>
    /// <param name="cell">Side of the cubes, metres.</param>
    public TriangleMesh Coarser(float cell)
    {
        var cells = new Dictionary<(byte, int, int, int), int>();
        var members = new List<List<int>>();
        var corners = new List<(int, int)>();
        var pieces = new List<byte>();
        Span<int> three = stackalloc int[3];
        for (var t = 0; t < Pieces.Length; t++)
        {
            for (var k = 0; k < 3; k++)
            {
                var vertex = Corners[3 * t + k].Vertex;
                var at = Vertices[vertex] / cell;
                var key = (Pieces[t], (int)MathF.Floor(at.X), (int)MathF.Floor(at.Y), (int)MathF.Floor(at.Z));
                if (!cells.TryGetValue(key, out three[k]))
                {
                    cells[key] = three[k] = members.Count;
                    members.Add([]);
                }
                members[three[k]].Add(vertex);
            }
            if (three[0] == three[1] || three[1] == three[2] || three[0] == three[2]) continue;
            for (var k = 0; k < 3; k++) corners.Add((three[k], Corners[3 * t + k].Texture));
            pieces.Add(Pieces[t]);
        }
        var vertices = members.Select(member => member.Aggregate(Vector3.Zero, (sum, v) => sum + Vertices[v]) / member.Count).ToArray();
        var holds = Holds.Length == 0 ? [] : members.SelectMany(member => Holds.AsSpan(member[0] * HoldsPerVertex, HoldsPerVertex).ToArray()).ToArray();
        return new TriangleMesh(vertices, holds, TextureCoordinates, [.. corners], [.. pieces]);
    }
}
