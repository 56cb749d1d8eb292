using System.Numerics;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>What of a scene's models can be seen along each ray of a picture: triangles drawn into a depth buffer, where casting rays at tens of thousands of them would take a hundred times as long.</summary>
internal sealed class MeshRaster(int width, int height)
{
    private const float Near = 0.15f;              // metres; nothing nearer is drawn
    private const float FineFrom = 170;            // rays from foot to top
    private const float Unfolded = 2;              // metres that texture coordinates from 0 to 1 are worth, about
    private const float OverSkin = 1.003f;         // clothes win over the skin they lie on

    private readonly float[] _nearness = new float[width * height];        // 1 / depth, clothes a little more
    private readonly Seen[] _seen = new Seen[width * height];

    /// <param name="Depth">Along the camera's axis, metres.</param>
    /// <param name="Normal">Unit, of either side.</param>
    /// <param name="Owner">0: nothing.</param>
    public readonly record struct Seen(float Depth, Vector3 Albedo, Vector3 Normal, short Owner, short Person, byte ClassId);

    /// <summary>What a ray meets first; owner 0 where it meets no model.</summary>
    public ref readonly Seen At(int x, int y) => ref _seen[y * width + x];

    /// <param name="focal">In rays.</param>
    public void Draw(DrawnModel model, Vector3 eye, Vector3 right, Vector3 up, Vector3 forward, float focal, float time)
    {
        var shift = model.Velocity * time - eye;
        var away = Vector3.Dot(model.Middle + shift, forward);
        if (away < -6) return;                     // behind; a lorry may reach that far
        var (mesh, world) = model.Place(focal * model.Height / Math.Max(away, Near) > FineFrom);
        var screen = new Vector3[world.Length];
        for (var v = 0; v < world.Length; v++)
        {
            var c = world[v] + shift;
            var z = Vector3.Dot(c, forward);
            screen[v] = new(width / 2f + focal * Vector3.Dot(c, right) / z - 0.5f, height / 2f - focal * Vector3.Dot(c, up) / z - 0.5f, z);
        }
        var normals = Normals(mesh, world);
        for (var t = 0; t < mesh.Pieces.Length; t++) Triangle(model, mesh, t, screen, normals, focal);
    }

    private static Vector3[] Normals(TriangleMesh mesh, Vector3[] world)
    {
        var normals = new Vector3[world.Length];
        for (var i = 0; i < mesh.Corners.Length; i += 3)
        {
            var (a, b, c) = (mesh.Corners[i].Vertex, mesh.Corners[i + 1].Vertex, mesh.Corners[i + 2].Vertex);
            var area = Vector3.Cross(world[b] - world[a], world[c] - world[a]);
            normals[a] += area;
            normals[b] += area;
            normals[c] += area;
        }
        return normals;
    }

    private void Triangle(DrawnModel model, TriangleMesh mesh, int t, Vector3[] screen, Vector3[] normals, float focal)
    {
        var corners = mesh.Corners.AsSpan(3 * t, 3);
        var (a, b, c) = (screen[corners[0].Vertex], screen[corners[1].Vertex], screen[corners[2].Vertex]);
        if (!(a.Z > Near && b.Z > Near && c.Z > Near)) return;
        var (x0, x1) = ((int)MathF.Ceiling(Math.Max(0, Math.Min(a.X, Math.Min(b.X, c.X)))), (int)MathF.Floor(Math.Min(width - 1, Math.Max(a.X, Math.Max(b.X, c.X)))));
        var (y0, y1) = ((int)MathF.Ceiling(Math.Max(0, Math.Min(a.Y, Math.Min(b.Y, c.Y)))), (int)MathF.Floor(Math.Min(height - 1, Math.Max(a.Y, Math.Max(b.Y, c.Y)))));
        if (x0 > x1 || y0 > y1) return;
        var area = (b.X - a.X) * (c.Y - a.Y) - (b.Y - a.Y) * (c.X - a.X);
        if (MathF.Abs(area) < 1e-9f) return;
        var look = model.Looks[mesh.Pieces[t]];
        var over = look.Over ? OverSkin : 1;
        var inverse = new Vector3(1 / a.Z, 1 / b.Z, 1 / c.Z);
        for (var y = y0; y <= y1; y++)
        {
            for (var x = x0; x <= x1; x++)
            {
                var wa = ((b.X - x) * (c.Y - y) - (b.Y - y) * (c.X - x)) / area;
                var wb = ((c.X - x) * (a.Y - y) - (c.Y - y) * (a.X - x)) / area;
                var wc = 1 - wa - wb;
                if (wa < 0 || wb < 0 || wc < 0) continue;
                var share = new Vector3(wa, wb, wc) * inverse;             // perspective: what lies on the triangle is linear in these, not in the screen's
                var nearness = share.X + share.Y + share.Z;
                var at = y * width + x;
                if (!(nearness * over > _nearness[at])) continue;
                share /= nearness;
                var worn = mesh.TextureCoordinates[corners[0].Texture] * share.X + mesh.TextureCoordinates[corners[1].Texture] * share.Y + mesh.TextureCoordinates[corners[2].Texture] * share.Z;
                var texel = look.Picture.At(worn);
                if (texel.W < 0.5f) continue;
                var normal = normals[corners[0].Vertex] * share.X + normals[corners[1].Vertex] * share.Y + normals[corners[2].Vertex] * share.Z;
                var length = normal.Length();
                _nearness[at] = nearness * over;
                _seen[at] = new(1 / nearness, look.Dye.On(texel.AsVector3(), look.Picture.Brightness, worn, 1 / (nearness * focal * Unfolded)), length > 0 ? normal / length : Vector3.UnitY, model.Owner, model.Person, model.ClassId);
            }
        }
    }
}
