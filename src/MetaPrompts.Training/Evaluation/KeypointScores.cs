namespace MetaPrompts.Training.Evaluation;

/// <summary>Average precision and recall of people found, over OKS thresholds .50, .55 … .95; NaN where nobody is to be found.</summary>
/// <param name="Medium">AP of people of 32² to 96² pixels; <paramref name="Large"/>: of larger ones.</param>
public readonly record struct KeypointScores(double Ap, double Ap50, double Ap75, double Medium, double Large, double Recall)
{
    /// <summary>Name and value, in the order and spelling of reports.</summary>
    public IEnumerable<(string Name, double Value)> Named => [("AP", Ap), ("AP50", Ap50), ("AP75", Ap75), ("APM", Medium), ("APL", Large), ("AR", Recall)];
}
