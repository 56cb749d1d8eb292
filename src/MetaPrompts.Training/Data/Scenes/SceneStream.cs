namespace MetaPrompts.Training.Data.Scenes;

/// <summary>What is drawn from random numbers of its own (<see cref="Scene.Random"/>): the rest of the scene stays what it is without it. The numbers make old scenes what they were; new ones keep their distance.</summary>
internal enum SceneStream : ulong
{
    /// <summary>Which figure, of each person.</summary>
    Figure = 0,

    /// <summary>What is between camera and people.</summary>
    InFront = 2_222_222,

    Backdrop = 3_333_333,

    /// <summary>What people do and have with them, of each.</summary>
    Doings = 4_444_444,

    /// <summary>Photographs on surfaces.</summary>
    Dress = 5_555_555,

    /// <summary>Where people look, of each.</summary>
    Facing = 5_555_556,

    /// <summary>Trees one sees the sky through, of each.</summary>
    Crown = 6_666_666,

    /// <summary>Which model stands for solids, of each.</summary>
    Prop = 7_777_777,

    /// <summary>Woods, sky and large vehicles.</summary>
    Vista = 8_888_888,
}
