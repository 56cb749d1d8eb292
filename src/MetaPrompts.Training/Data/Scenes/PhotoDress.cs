using MetaPrompts.Training.Data.Scenes.Models.Figures;
using MetaPrompts.Training.Data.Scenes.Models.Photos;

namespace MetaPrompts.Training.Data.Scenes;

/// <summary>
/// Has surfaces wear photographs: what a rule draws is too clean, and a network that knows nothing else takes the first real clutter for whatever it lacks. Most keep their colour and take a photograph's grain;
/// some look like one, as in <see cref="Disguise"/>. Modelled people do, too, bodies included: were a photograph's grain only on what is nobody, it would be learnt as the mark of nobody, and real people have it.
/// </summary>
internal static class PhotoDress
{
    private const float Left = 0.3f;               // share of scenes that stay as they are
    private const float Posters = 0.8f;            // share of posters and screens that show a photograph
    private const float Grain = 0.7f;
    private const float Prints = 0.25f;            // share of modelled things' parts
    private const float Clothes = 0.6f;
    private const float Bodies = 0.5f;             // share of skins and of hair; only its grain, and little of it
    private const float Faint = 0.3f;              // strength of that grain

    /// <summary>Nothing happens without photographs; everything else of the scene stays what it is.</summary>
    public static void PutOn(Scene scene)
    {
        if (scene.Library?.Photos is not { } photos) return;
        var random = scene.Random(SceneStream.Dress);
        if (random.Chance(Left)) return;
        var share = random.Between(0.2f, 0.9f);
        var (people, plants) = (scene.MaterialsOf(SceneClasses.Person), scene.MaterialsOf(SceneClasses.Vegetation));
        for (var i = 0; i < scene.Materials.Count; i++)
        {
            var look = scene.Materials[i];
            var poster = look.Texture == Texture.Picture;
            if (!random.Chance(poster ? Posters : share) || people.Contains(i) || look.Texture == Texture.Glazed) continue;
            var grain = !poster && (plants.Contains(i) || random.Chance(Grain));
            scene.Materials[i] = look with { Worn = Any(photos, random, 0.4f, 6.4f) with { Grain = grain } };
        }
        foreach (var model in scene.Models)
        {
            for (var i = 0; i < model.Looks.Length; i++)
            {
                var kind = (model as PosedFigure)?.Figure.Pieces[i].Kind;
                var body = kind is PieceKind.Skin or PieceKind.Hair;
                if (!random.Chance(body ? Bodies : kind is PieceKind.Clothes ? Clothes : Prints)) continue;
                var print = Any(photos, random, 0.08f, 0.64f) with { Grain = random.Chance(Grain) || body, Strength = body ? Faint : 1 };
                model.Looks[i] = model.Looks[i] with { Dye = model.Looks[i].Dye with { Print = print } };
            }
        }
    }

    /// <summary>Any photograph anywhere.</summary>
    /// <param name="least">Metres it covers; <paramref name="most"/> as well.</param>
    private static WornPhoto Any(PhotoLibrary photos, SceneRandom random, float least, float most) =>
        new(photos.Pick(random), least * MathF.Pow(most / least, random.Between(0, 1)), new(random.Between(0, 2), random.Between(0, 2)), Grain: false);
}
