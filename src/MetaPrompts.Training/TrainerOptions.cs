using MetaPrompts.Core.Frames;
using MetaPrompts.Training.Optimisation;

namespace MetaPrompts.Training;

/// <summary>How a run learns; the recipe file's keys are these names in camelCase.</summary>
public sealed record TrainerOptions
{
    /// <summary>What is learnt. Earlier stages are for networks of several tasks; the next begins with their weights (<c>--from</c>).</summary>
    public TrainingStage Stage { get; init; }

    /// <summary>Meta prompts stay as they were drawn: an ablation.</summary>
    public bool FreezePrompts { get; init; }

    /// <summary>Images per step.</summary>
    public int BatchSize { get; init; } = 8;

    /// <summary>Picture size and number of steps, one after the other.</summary>
    public required IReadOnlyList<TrainingPhase> Phases { get; init; }

    /// <summary>Peak of the schedule: see <see cref="Schedule"/>; over all phases.</summary>
    public double LearningRate { get; init; } = 1e-3;

    public LearningRateSchedule Schedule { get; init; } = LearningRateSchedule.WarmupCosine;

    public int WarmupSteps { get; init; } = 100;

    /// <summary>Share of the rate that <see cref="LearningRateSchedule.Linear"/> and <see cref="LearningRateSchedule.Milestones"/> begin at.</summary>
    public double WarmupFrom { get; init; } = 1e-3;

    /// <summary>Steps from 0 after which <see cref="LearningRateSchedule.Milestones"/> goes on with a tenth.</summary>
    public IReadOnlyList<int> Milestones { get; init; } = [];

    /// <summary>How many rounds the steps are; <see cref="LearningRateSchedule.OneCycle"/> turns after half of them.</summary>
    public int Epochs { get; init; } = 1;

    /// <summary>Share of the run during which the rate stays at its peak before it falls; a run that may be prolonged later holds long and is prolonged from a state before the fall.</summary>
    public double HoldUntil { get; init; }

    /// <summary>Share of the peak at the end.</summary>
    public double FinalRate { get; init; } = 0.02;

    public double WeightDecay { get; init; } = 0.02;

    /// <summary>Prompts and timesteps of a multi-task network learn this much faster than the rest, and never decay. Published trainings have groups of their own (PublishedGroups).</summary>
    public double PromptRate { get; init; } = 5;

    /// <summary>How parameters move by their gradients; the published trainings use AdamW.</summary>
    public OptimiserRule Optimiser { get; init; }

    /// <summary>Of AdamW: 0.98 forgets a gradient that was an exception sooner; the published trainings use 0.999.</summary>
    public double Beta2 { get; init; } = 0.98;

    /// <summary>Parts each batch is computed in, one after the other, so that memory suffices; batch statistics are then each part's own.</summary>
    public int Accumulate { get; init; } = 1;

    /// <summary>
    /// Gradient checkpointing: the UNet's blocks, and the autoencoder's levels where it learns, keep what comes in and out and are computed once more in the backward pass. Off unless asked for: a small
    /// network's memory does not matter, its time does.
    /// </summary>
    public bool Checkpointing { get; init; }

    /// <summary>Segmentation: pictures are fitted into this before they are scaled and cut; null for the size of the first phase.</summary>
    public ImageSize? Resize { get; init; }

    /// <summary>Of the segmentation heads' last features.</summary>
    public double Dropout { get; init; }

    /// <summary>cpu, cuda or cuda:N.</summary>
    public string Device { get; init; } = "cpu";

    /// <summary>Gradients are scaled down to this norm at most; 0 for no limit.</summary>
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

/// <summary>Stages of training a network from nothing, in the order of latent diffusion: perception alone is enough.</summary>
public enum TrainingStage
{
    /// <summary>Depth, classes, people.</summary>
    Perception,

    /// <summary>Picture to latent and back (Rombach et al. 2022, section 3.1), without the adversary.</summary>
    Autoencoder,

    /// <summary>The UNet removes noise from latents, the meta prompts its context (Rombach et al. 2022, section 3.2).</summary>
    Denoising,
}

/// <param name="Size">Of the pictures; multiples of 64, or of 32 where depth or segmentation is learnt alone.</param>
public sealed record TrainingPhase(ImageSize Size, int Steps);

/// <param name="Losses">By name, without their weights, of the last step supervised.</param>
public sealed record TrainingProgress(int Step, int TotalSteps, double Loss, IReadOnlyDictionary<string, double> Losses, double LearningRate, double GradientNorm, TimeSpan StepTime);
