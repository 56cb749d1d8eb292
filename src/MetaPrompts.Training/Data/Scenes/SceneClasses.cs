using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>The ten things a scene is made of.</summary>
public static class SceneClasses
{
    public const byte Sky = 0, Wall = 1, Floor = 2, Sidewalk = 3, Vegetation = 4, Person = 5, Vehicle = 6, Thing = 7, Furniture = 8, Ceiling = 9;

    /// <summary>Of a training picture only: known to be no person, otherwise unknown.</summary>
    public const byte Nobody = 254;

    /// <summary>In the order of their ids; colours chosen to stay apart for most colour-blind people.</summary>
    public static IReadOnlyList<ClassInfo> All { get; } =
    [
        new("sky", "#7ec8f2"), new("wall", "#a39b92"), new("floor", "#5b5573"), new("sidewalk", "#e3a6c8"), new("vegetation", "#4f9d4a"),
        new("person", "#e8453c"), new("vehicle", "#2f5fd0"), new("object", "#f5c33b"), new("furniture", "#b5713c"), new("ceiling", "#d9dee3"),
    ];
}
