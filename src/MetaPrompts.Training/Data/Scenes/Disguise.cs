namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// Repaints surfaces with anything at all: a network that has seen walls of print, floors of patches and vans of marble looks for shape and place, not for the few textures a renderer has
/// (domain randomisation, Tobin et al. 2017). Plants keep their greens and people their skin: those colours are true of photographs, too.
/// </summary>
internal static class Disguise
{
    private static readonly Texture[] _textures = [Texture.Flat, Texture.Mottled, Texture.Checks, Texture.Stripes, Texture.Bricks, Texture.Wood, Texture.Speckles, Texture.Tiles, Texture.Veins,
        Texture.Patches, Texture.Print, Texture.Weave, Texture.Picture];

    /// <summary>Half of all scenes stay as they are.</summary>
    public static void PutOn(Scene scene, SceneRandom random)
    {
        if (random.Chance(0.5f)) return;
        var share = random.Chance(0.65f) ? random.Between(0.05f, 0.35f) : random.Between(0.4f, 0.9f);
        HashSet<int> kept = [.. scene.MaterialsOf(SceneClasses.Vegetation), .. scene.MaterialsOf(SceneClasses.Person)];
        for (var i = 0; i < scene.Materials.Count; i++)
        {
            if (!random.Chance(share) || kept.Contains(i) || scene.Materials[i].Texture == Texture.Glazed) continue;
            scene.Materials[i] = Any(random);
        }
    }

    /// <summary>Any texture in any two colours.</summary>
    public static Material Any(SceneRandom random)
    {
        var colour = random.Colour();
        var scale = 0.6f * MathF.Pow(25, random.Between(0, 1));
        return new Material(random.Pick<Texture>(_textures), colour, random.Chance(0.5f) ? colour * random.Between(0.4f, 1.6f) : random.Colour(), scale,
            new(random.Between(-50, 50), random.Between(-50, 50), random.Between(-50, 50)), random.Chance(0.15f) ? random.Between(0.1f, 0.6f) : 0);
    }
}
