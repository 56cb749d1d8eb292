using MetaPrompts.Core.Frames;

namespace MetaPrompts.Training;

/// <summary>How a run learns; the recipe file's keys are these names in camelCase.</summary>
public sealed record TrainerOptions
{
    /// <summary>Images per step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Picture size and number of steps, one after the other.</summary>
    public required IReadOnlyList<TrainingPhase> Phases { get; init; }

    /// <summary>Peak of the schedule: linear warm-up, hold, then cosine to <see cref="FinalRate"/> of it over all phases.</summary>
    public double LearningRate { get; init; } = 1e-3;

    public int WarmupSteps { get; init; } = 100;

    /// <summary>Share of the run during which the rate stays at its peak before it falls; a run that may be prolonged later holds long and is prolonged from a state before the fall.</summary>
    public double HoldUntil { get; init; }

    /// <summary>Share of the peak at the end.</summary>
    public double FinalRate { get; init; } = 0.02;

    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Prompts and timesteps learn this much faster than the rest, and never decay.</summary>
    public double PromptRate { get; init; } = 5;

    /// <summary>Gradients are scaled down to this norm at most.</summary>
    public double ClipNorm { get; init; } = 2;

    /// <summary>Decay per step of the averaged weights that are saved; 0 saves the raw ones.</summary>
    public double AverageDecay { get; init; } = 0.999;

    /// <summary>
    /// Chance of running 1, 2, … refine steps. Each number of steps must be usable alone, so each is practised.
    /// </summary>
    public IReadOnlyList<double> RefineChances { get; init; } = [0.45, 0.4, 0.15];

    /// <summary>True: what every step run says is judged, earlier ones at a lower weight. False: the last one's alone, which costs one head less per step.</summary>
    public bool EveryStep { get; init; }

    /// <summary>Convolutions and linears compute in bfloat16; the optimiser keeps float32 masters.</summary>
    public bool Bfloat16 { get; init; }

    public int SaveEvery { get; init; } = 200;

    public int Seed { get; init; } = 1;

    /// <summary>Copies of the network that share each batch, one thread each (see Replicas).</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Threads of the tensor library.</summary>
    public int Threads { get; init; } = 1;

    /// <summary>Threads that render and augment.</summary>
    public int LoaderThreads { get; init; } = 1;

    /// <summary>How often each rendered scene is shown, each time augmented anew.</summary>
    public int SceneUses { get; init; } = 2;

    public int TotalSteps => Phases.Sum(phase => phase.Steps);

    /// <summary>Size at a step counted from 0.</summary>
    public ImageSize SizeAt(int step)
    {
        foreach (var phase in Phases)
        {
            if (step < phase.Steps) return phase.Size;
            step -= phase.Steps;
        }
        return Phases[^1].Size;
    }
}

/// <param name="Size">Of the pictures; multiples of 64.</param>
public sealed record TrainingPhase(ImageSize Size, int Steps);

/// <param name="Losses">By name, without their weights, of the last step supervised.</param>
public sealed record TrainingProgress(int Step, int TotalSteps, double Loss, IReadOnlyDictionary<string, double> Losses, double LearningRate, double GradientNorm, TimeSpan StepTime);
