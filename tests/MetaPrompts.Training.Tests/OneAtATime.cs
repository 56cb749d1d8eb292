namespace MetaPrompts.Training.Tests;

/// <summary>For tests that draw first weights, count tensors or set threads: libtorch has one random generator, one count and one number of threads for the process, which another test would change under them.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class OneAtATime
{
    public const string Name = "one at a time";
}
