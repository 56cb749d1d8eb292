using System.Numerics;
using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Data.Scenes.Models;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>Casts rays: truth from one per pixel, colours too, from four where it stands out from its neighbours. Pure: any number of threads may render at once.</summary>
public static class SceneRenderer
{
    private const int Tile = 16;
    private const int Rays = 2;                    // per pixel and axis

    /// <param name="time">Seconds since the scene began: walkers, cars and camera move at their speeds.</param>
    public static SceneFrame Render(Scene scene, ImageSize size, double time = 0)
    {
        ArgumentNullException.ThrowIfNull(scene);
        return Render(scene, size, time, everyRay: false);
    }

    /// <param name="everyRay">Four rays for each pixel, whether or not it needs them.</param>
    internal static SceneFrame Render(Scene scene, ImageSize size, double time, bool everyRay) => new Picture(scene, size, (float)time).Render(everyRay);

    // Light to byte, in steps finer than a byte's.
    private static readonly byte[] _shown = [.. Enumerable.Range(0, 4096).Select(i => (byte)(MathF.Pow(i / 4095f, 0.9f) * 255 + 0.5f))];

    /// <summary>A solid's bounding sphere as the eye sees it, close together in memory: most rays miss most solids.</summary>
    private readonly record struct SeenBound(Vector3 To, float Outside, float Nearest)
    {
        public static SeenBound Of(in Primitive primitive, Vector3 eye)
        {
            if (primitive.Shape == Shape.Plane) return new(default, float.NegativeInfinity, float.NegativeInfinity);
            var to = primitive.BoundCentre - eye;
            return new(to, to.LengthSquared() - primitive.BoundRadius * primitive.BoundRadius, to.Length() - primitive.BoundRadius);
        }

        /// <param name="d">Unit direction from the eye.</param>
        public bool Misses(Vector3 d)
        {
            var along = Vector3.Dot(To, d);
            return Outside > 0 && (along < 0 || along * along < Outside);
        }
    }

    private sealed class Picture
    {
        private readonly Scene _scene;
        private readonly ImageSize _size;
        private readonly Primitive[] _primitives;
        private readonly SeenBound[] _bounds;
        private readonly Vector4[] _spheres;       // bounding spheres: centre, radius squared
        private int _shading = -1;                 // what cast the last shadow
        private readonly ShadowGrid _shadows;
        private readonly int[][] _tiles;
        private readonly int _tilesAcross, _w, _h;
        private readonly Vector3 _eye, _right, _up, _forward;
        private readonly float _focal, _time;
        private readonly MeshRaster? _models;

        public Picture(Scene scene, ImageSize size, float time)
        {
            (_scene, _size, _time) = (scene, size, time);
            (_w, _h) = (size.Width * Rays, size.Height * Rays);
            _focal = scene.Focal * _w;
            _eye = scene.Camera + scene.CameraVelocity * time;
            var (sinYaw, cosYaw) = MathF.SinCos(scene.Yaw);
            var (sinPitch, cosPitch) = MathF.SinCos(scene.Pitch);
            var (sinRoll, cosRoll) = MathF.SinCos(scene.Roll);
            _forward = new(sinYaw * cosPitch, -sinPitch, cosYaw * cosPitch);
            var level = new Vector3(cosYaw, 0, -sinYaw);
            var upright = Vector3.Cross(_forward, level);
            _right = level * cosRoll + upright * sinRoll;
            _up = upright * cosRoll - level * sinRoll;
            _primitives = [.. scene.Primitives];
            for (var i = 0; i < _primitives.Length; i++) Move(ref _primitives[i]);
            // Nearest first: a ray that has hit something need not ask what begins behind it. Planes, which have no bounds, come before all.
            Array.Sort(Array.ConvertAll(_primitives, primitive => SeenBound.Of(primitive, _eye).Nearest), _primitives);
            _bounds = Array.ConvertAll(_primitives, primitive => SeenBound.Of(primitive, _eye));
            _spheres = Array.ConvertAll(_primitives, primitive => new Vector4(primitive.BoundCentre, primitive.BoundRadius * primitive.BoundRadius));
            _shadows = new ShadowGrid(scene.Light, _primitives);
            _tilesAcross = (_w + Tile - 1) / Tile;
            _tiles = Sort();
            if (scene.Models.Count == 0) return;
            _models = new MeshRaster(_w, _h);
            foreach (var model in scene.Models) _models.Draw(model, _eye, _right, _up, _forward, _focal, time);
        }

        public SceneFrame Render(bool everyRay)
        {
            var frame = new SceneFrame(_size, _scene.Focal);
            var (light, met, person) = (new Vector3[_size.Pixels], new int[_size.Pixels], new short[_size.Pixels]);
            for (var at = 0; at < light.Length; at++)
            {
                var (y, x) = Math.DivRem(at, _size.Width);
                light[at] = Cast(x * Rays + Rays / 2, y * Rays + Rays / 2, out met[at], out frame.Depth[at], out frame.ClassIds[at], out person[at]);
            }
            var edges = everyRay ? null : Contrast.Of(light, met, _size);
            for (var at = 0; at < light.Length; at++)
            {
                if (edges?[at] ?? true) light[at] = Mean(at, light[at]);
            }
            var closed = _scene.Light.Crevices > 0 ? Crevices.Of(frame.Depth, _size, _scene.Focal * _size.Width) : null;
            for (var i = 0; i < light.Length; i++)
            {
                if (closed is not null) light[i] *= 1 - _scene.Light.Crevices * closed[i];
                var colour = Vector3.Clamp(light[i], Vector3.Zero, Vector3.One);
                frame.Rgb[3 * i] = Shown(colour.X);
                frame.Rgb[3 * i + 1] = Shown(colour.Y);
                frame.Rgb[3 * i + 2] = Shown(colour.Z);
            }
            frame.People = [.. _scene.People.Select((skeleton, i) => Project(skeleton, i + 1, frame, person))];
            return frame;
        }

        /// <summary>A pixel's light from all of its rays; one has been cast.</summary>
        private Vector3 Mean(int at, Vector3 sum)
        {
            var (y, x) = Math.DivRem(at, _size.Width);
            for (var ray = 0; ray < Rays * Rays; ray++)
            {
                var (down, across) = Math.DivRem(ray, Rays);
                if (down != Rays / 2 || across != Rays / 2) sum += Cast(x * Rays + across, y * Rays + down, out _, out _, out _, out _);
            }
            return sum / (Rays * Rays);
        }

        private static byte Shown(float value) => _shown[(int)(value * (_shown.Length - 1) + 0.5f)];

        private void Move(ref Primitive primitive)
        {
            if (_time == 0 || primitive.Velocity == default) return;
            var shift = primitive.Velocity * _time;
            primitive.A += shift;
            primitive.BoundCentre += shift;
            if (primitive.Shape == Shape.Capsule) primitive.B += shift;
        }

        /// <summary>
        /// Which primitives can be seen in which tile. Two edges of a column of tiles are planes through the eye: what lies wholly beyond one of them is met by no ray between them,
        /// wherever it begins, behind the eye as well; so with rows.
        /// </summary>
        private int[][] Sort()
        {
            var down = (_h + Tile - 1) / Tile;
            var lists = Enumerable.Range(0, _tilesAcross * down).Select(_ => new List<int>()).ToArray();
            var (columns, rows) = (new bool[_tilesAcross], new bool[down]);
            for (var i = 0; i < _primitives.Length; i++)
            {
                ref readonly var p = ref _primitives[i];
                if (p.Owner > 0) continue;
                Meets(p, _right, _w, columns);
                Meets(p, -_up, _h, rows);
                for (var y = 0; y < down; y++)
                {
                    if (!rows[y]) continue;
                    for (var x = 0; x < _tilesAcross; x++)
                        if (columns[x]) lists[y * _tilesAcross + x].Add(i);
                }
            }
            return [.. lists.Select(list => list.ToArray())];
        }

        /// <param name="across">Direction in which tiles are counted.</param>
        /// <param name="size">Of the picture in that direction.</param>
        /// <param name="tiles">Becomes which of them a solid may be seen in.</param>
        private void Meets(in Primitive solid, Vector3 across, int size, bool[] tiles)
        {
            Array.Fill(tiles, true);
            if (solid.Shape == Shape.Plane) return;
            // A ray's distance from an edge, and more: rounding must not lose one.
            const float Spare = 1;
            for (var i = 0; i < tiles.Length; i++)
            {
                Vector3 Edge(float at) => across * _focal - _forward * (at - size / 2f);
                var (first, last) = (Edge(i * Tile - Spare), Edge((i + 1) * Tile + Spare));
                tiles[i] = solid.Along(first).High >= Vector3.Dot(_eye, first) && solid.Along(last).Low <= Vector3.Dot(_eye, last);
            }
        }

        /// <param name="met">A number of its own for each solid, model, sky and backdrop.</param>
        private Vector3 Cast(int x, int y, out int met, out float depth, out byte classId, out short person)
        {
            var d = Vector3.Normalize(_forward * _focal + _right * (x + 0.5f - _w / 2f) + _up * (_h / 2f - y - 0.5f));
            var (nearest, hit, normal) = (250f, -1, Vector3.Zero);
            foreach (var i in _tiles[y / Tile * _tilesAcross + x / Tile])
            {
                ref readonly var bound = ref _bounds[i];
                if (bound.Nearest > nearest) break;
                if (bound.Misses(d) || !_primitives[i].Hit(_eye, d, nearest, out var t, out var n)) continue;
                (nearest, hit, normal) = (t, i, n);
            }
            Vector3 colour;
            if (_models is not null && _models.At(x, y) is { Owner: > 0 } seen && seen.Depth < nearest * Vector3.Dot(d, _forward))
            {
                (met, depth, classId, person) = (-1 - seen.Owner, seen.Depth, seen.ClassId, seen.Person);
                var away = seen.Depth / Vector3.Dot(d, _forward);
                var outward = Vector3.Dot(seen.Normal, d) > 0 ? -seen.Normal : seen.Normal;
                colour = Lit(seen.Albedo, 0, _eye + d * away, outward, d, away, seen.Owner);
            }
            else if (hit < 0)
            {
                (met, depth, classId, person) = (0, float.PositiveInfinity, SceneClasses.Sky, 0);
                colour = Sky(d);
            }
            else
            {
                ref readonly var primitive = ref _primitives[hit];
                (met, depth, person) = (hit + 1, nearest * Vector3.Dot(d, _forward), primitive.Person);
                colour = Shade(primitive, _eye + d * nearest, normal, d, nearest, out classId);
            }
            if (_scene.Backdrop is { } backdrop && Backdrop.Hides(classId))
            {
                (met, depth, classId, person) = (-1, float.PositiveInfinity, SceneClasses.Nobody, 0);
                colour = backdrop.At(new((x + 0.5f) / _w, 1 - (y + 0.5f) / _h), 1f / _w);
            }
            return colour * _scene.Light.Tint * _scene.Light.Exposure;
        }

        private Vector3 Sky(Vector3 d)
        {
            var light = _scene.Light;
            var high = Math.Max(0, d.Y);
            var colour = Vector3.Lerp(light.Horizon, light.Zenith, Math.Min(1, high * 2.2f));
            var above = new Vector3(d.X, 0, d.Z) * (light.CloudScale / (high + 0.15f));
            var cloud = Noise.Fractal(new Vector3(above.X, above.Z, light.Clouds));
            // Tatters at the edges, where they are hard enough to have any.
            if (light.CloudEdge > 3) cloud += 0.2f * (Noise.Fractal(new Vector3(above.X, above.Z, light.Clouds) * 7) - 0.5f);
            var thick = (cloud - 0.5f + light.CloudCover) * light.CloudEdge;
            var white = light.Horizon.Length() * 0.6f * (1 - light.CloudShade * Math.Clamp(thick - 0.5f, 0, 1));
            return Vector3.Lerp(colour, Vector3.One * white, Math.Clamp(thick, 0, light.CloudEdge > 3 ? 0.95f : 0.8f));
        }

        private Vector3 Shade(in Primitive primitive, Vector3 p, Vector3 n, Vector3 d, float distance, out byte classId)
        {
            classId = primitive.ClassId;
            var material = primitive.Material;
            if (material < 0) (classId, material) = _scene.Ground!.At(p);
            var plane = primitive.Shape == Shape.Plane;
            var look = _scene.Materials[material];
            // Seen flat, a ray covers more of a surface along it than across: something between the two.
            var seen = distance / _focal / MathF.Sqrt(Math.Max(0.02f, MathF.Abs(Vector3.Dot(n, d))));
            return Lit(look.At(plane ? p : primitive.Into(p - primitive.BoundCentre), plane ? n : primitive.Into(n), seen), look.Gloss, p, n, d, distance, 0);
        }

        /// <param name="owner">Model whose stand-ins cast no shadow here: their skin does not lie exactly where the model's does. 0 for none.</param>
        private Vector3 Lit(Vector3 albedo, float gloss, Vector3 p, Vector3 n, Vector3 d, float distance, int owner)
        {
            var light = _scene.Light;
            Vector3 towards;
            float reach = 250, strength = 1;
            if (light.Sun is { } sun) towards = sun;
            else
            {
                towards = light.Lamp - p;
                reach = towards.Length();
                towards /= reach;
                strength = Math.Min(1.6f, 9 / (reach * reach + 3));
            }
            var facing = Math.Max(0, Vector3.Dot(n, towards));
            if (facing > 0 && Shadowed(p + n * 0.01f, towards, reach, owner)) facing *= light.InShadow;
            var open = 0.7f + 0.3f * Math.Max(-0.6f, n.Y);
            var colour = albedo * (light.Ambient * open + facing * strength * (1.15f - light.Ambient * 0.5f) + Math.Max(0, Vector3.Dot(n, light.Fill)));
            if (gloss > 0) colour += new Vector3(gloss * 0.5f * MathF.Pow(Math.Max(0, Vector3.Dot(Vector3.Normalize(towards - d), n)), 24));
            return light.Fog > 0 ? Vector3.Lerp(colour, light.Horizon, 1 - MathF.Exp(-distance * light.Fog)) : colour;
        }

        private bool Shadowed(Vector3 p, Vector3 towards, float reach, int owner)
        {
            // Neighbouring points mostly lie in the shadow of the same thing.
            if (_shading >= 0 && !Own(_shading, owner) && _primitives[_shading].Hit(p, towards, reach, out _, out _)) return true;
            foreach (var i in _shadows.Near(p))
            {
                var sphere = _spheres[i];
                var to = sphere.AsVector3() - p;
                float along = Vector3.Dot(to, towards), outside = to.LengthSquared() - sphere.W;
                if ((outside > 0 && along < 0) || along * along < outside || Own(i, owner) || !_primitives[i].Hit(p, towards, reach, out _, out _)) continue;
                _shading = i;
                return true;
            }
            _shading = -1;
            return false;
        }

        private bool Own(int primitive, int owner) => owner > 0 && _primitives[primitive].Owner == owner;

        private ScenePerson Project(SceneSkeleton skeleton, int number, SceneFrame frame, short[] person)
        {
            var joints = new SceneJoint[skeleton.Joints.Length];
            for (var j = 0; j < joints.Length; j++)
            {
                var c = skeleton.Joints[j] + skeleton.Velocity * _time - _eye;
                var z = Vector3.Dot(c, _forward);
                if (z < 0.2f) continue;
                var x = (_w / 2f + _focal * Vector3.Dot(c, _right) / z) / Rays;
                var y = (_h / 2f - _focal * Vector3.Dot(c, _up) / z) / Rays;
                if (x < 0 || y < 0 || x >= _size.Width || y >= _size.Height)
                {
                    joints[j] = new(x, y, 0);
                    continue;
                }
                var at = (int)y * _size.Width + (int)x;
                // The joint lies inside the limb: it counts as seen if this body's surface is at most a limb's thickness in front of it.
                var seen = person[at] == number && MathF.Abs(frame.Depth[at] - z) < skeleton.Reach[j] + 0.05f;
                joints[j] = new(x, y, seen ? 2 : 1);
            }
            return new ScenePerson(joints);
        }
    }
}
