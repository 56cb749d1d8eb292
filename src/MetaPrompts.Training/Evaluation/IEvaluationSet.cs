namespace MetaPrompts.Training.Evaluation;

/// <summary>Labelled pictures by number, with the way the field scores them.</summary>
public interface IEvaluationSet
{
    EvaluationProtocol Protocol { get; }

    int Count { get; }

    /// <summary>Called from any thread, from several at a time.</summary>
    /// <param name="index">From 0.</param>
    /// <exception cref="Core.Errors.SourceLostException">A file is missing, damaged, or does not belong to its picture; named.</exception>
    EvaluationSample Read(int index);
}
