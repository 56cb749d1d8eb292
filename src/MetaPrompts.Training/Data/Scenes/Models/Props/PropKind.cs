namespace MetaPrompts.Training.Data.Scenes.Models.Props;

/// <summary>What a model can take the place of.</summary>
internal enum PropKind
{
    Animal,
    Bench,
    Bicycle,
    Car,
    Ceramic,
    Chair,
    Clutter,
    Lorry,
    Plant,
    Screen,
    Shelf,
    Sofa,
    Street,
    Table,
    Bed,
    Upright,
}

/// <summary>Which models of the catalogues are of which kind: by words of their English names, their category and their size.</summary>
internal static class PropKinds
{
    private static readonly (PropKind Kind, string[] Categories, string[] Words, string[] Not, Func<PropEntry, bool>? Also)[] _rules =
    [
        (PropKind.Animal, ["Characters", "Living room"], ["horse", "bulldog", "cat", "dog", "rabbit", "deer"], ["rocking", "dog house", "decorative"], null),
        (PropKind.Bench, ["Exterior", "Living room"], ["bench", "bank"], ["piano"], null),
        (PropKind.Bicycle, ["Vehicles", "Exterior"], ["bike", "bicycle", "scooter", "yamaha", "motorbike", "tricycle"], [], null),
        (PropKind.Car, ["Vehicles"], [""], [], entry => entry.Longest is > 2.2f and < 6 && entry.Shortest > 1.1f),
        (PropKind.Lorry, ["Vehicles"], ["truck", "bus"], [], entry => entry.Longest >= 6),
        (PropKind.Ceramic, ["Bathroom", "Kitchen"], ["toilets unit", "washbasin", "bath", "bidet", "urinal", "sink", "lavatory", "shower stall", "vanity"], ["mat"], entry => entry.Longest > 0.35f),
        (PropKind.Chair, ["Living room", "Office", "Kitchen", "Exterior"], ["chair", "stool", "class seat"], ["wheel", "high chair"], entry => entry.Longest < 1.6f),
        (PropKind.Sofa, ["Living room", "Bedroom"], ["sofa", "couch", "armchair", "futon"], ["ottoman"], entry => entry.Longest > 0.8f),
        (PropKind.Table, ["Living room", "Office", "Exterior", "Miscellaneous"], ["table", "desk", "workbench"], ["tablet", "tablecloth", "fan", "tennis bat", "desk lamp", "folding chair"], entry => entry.Longest > 0.5f),
        (PropKind.Bed, ["Bedroom"], ["bed"], ["bedside", "mezzanine"], entry => entry.Longest > 1.2f),
        (PropKind.Shelf, ["Living room", "Bedroom", "Office", "Kitchen", "Miscellaneous"], ["bookcase", "shelves", "wardrobe", "cupboard", "cabinet", "dresser", "fridge", "refrigerator", "oven", "washing machine", "stove", "dryer", "locker", "piano", "bedside", "fireplace", "safe", "radiator"],
            ["upper", "bench", "propane"], entry => entry.Height > 0.4f && entry.Longest > 0.35f),
        (PropKind.Plant, ["Living room"], ["plant", "cactus", "orchid", "yucca", "ficus", "bonsai", "flowers", "christmas tree", "bamboo"], ["little"], null),
        (PropKind.Screen, ["Living room", "Office", "Miscellaneous"], ["tv", "imac", "ibook", "laptop", "screen"], ["stand", "intercom", "cabinet"], entry => entry.Longest > 0.25f),
        (PropKind.Upright, ["Lights", "Miscellaneous", "Bedroom", "Kitchen", "Office", "Exterior"],
            ["lamp", "light", "fan", "extinguisher", "ladder", "punching", "umbrella", "clothes", "trash", "dustbin", "cooler", "broom", "shovel", "speaker", "vase", "wheelchair", "high chair", "water heater", "stand", "suit", "dress", "statue", "lantern"],
            ["wall", "ceiling", "hanging", "pendant", "desk lamp", "street", "table fan", "dressing", "dresser", "chandelier", "knife", "track"], entry => entry.Height is > 0.55f and < 2.3f && entry.Longest < 1.4f),
        (PropKind.Street, ["Exterior", "Miscellaneous", "Kitchen", "Office"], ["hydrant", "trash", "mailbox", "recycling", "barrel", "crate", "cone", "rock", "dustbin", "letters box", "flower box", "plant box", "lantern", "wheelbarrow", "suitcase", "snowman"], [], entry => entry.Height is > 0.25f and < 1.6f),
        (PropKind.Clutter, ["Kitchen", "Bathroom", "Miscellaneous", "Office", "Bedroom", "Living room"], [""], ["wall", "ceiling", "plug", "switch", "socket", "bill", "carpet", "doormat", "bathmat", "window", "tatami", "upper", "ring", "hood"], entry => entry.Longest < 0.55f && entry.Height > 0.03f),
    ];

    public static IEnumerable<PropKind> Of(PropEntry entry)
    {
        foreach (var (kind, categories, words, not, also) in _rules)
        {
            if (categories.Contains(entry.Category) && words.Any(word => entry.Name.Contains(word, StringComparison.OrdinalIgnoreCase)) && !not.Any(word => entry.Name.Contains(word, StringComparison.OrdinalIgnoreCase)) && also?.Invoke(entry) != false)
                yield return kind;
        }
    }
}
