using System.Globalization;
using System.Text;
using System.Text.Json;
using MetaPrompts.Core.Perception;

namespace MetaPrompts.Training.Evaluation;

/// <summary>What a model scored on a data set (contract §8).</summary>
/// <param name="Protocol">How it was measured, in words: sizes, steps, crops, who counts.</param>
/// <param name="Metrics">By the field's names, in order; NaN where a metric has no value. Per class: <c>IoU.sky</c>. Depth after alignment to the median: <c>abs_rel.aligned</c>.</param>
public sealed record EvaluationReport(string Model, string Dataset, string Protocol, int Samples, IReadOnlyList<KeyValuePair<string, double>> Metrics)
{
    /// <summary>Worst pictures named in the table, a task.</summary>
    private const int Shown = 5;

    /// <summary>What a guess without looking scores on the same pictures; null where it was not asked for.</summary>
    public EvaluationReport? Baseline { get; init; }

    /// <summary>Each picture's own scores, in order.</summary>
    internal IReadOnlyList<PictureScores> Pictures { get; init; } = [];

    /// <exception cref="KeyNotFoundException">No metric of this name.</exception>
    public double this[string metric]
    {
        get
        {
            foreach (var (name, value) in Metrics)
                if (name == metric) return value;
            throw new KeyNotFoundException($"no metric {metric}: {string.Join(' ', Metrics.Select(m => m.Key))}");
        }
    }

    /// <summary><c>{model, dataset, protocol, samples, metrics}</c>, and <c>baseline</c> where there is one; a metric without a value is null.</summary>
    public string ToJson() => Written(indented: true, json =>
    {
        json.WriteString("model", Model);
        json.WriteString("dataset", Dataset);
        json.WriteString("protocol", Protocol);
        json.WriteNumber("samples", Samples);
        Write(json, "metrics", Metrics);
        if (Baseline is not null) Write(json, "baseline", Baseline.Metrics);
    });

    /// <summary>A JSON object a picture and line: <c>{index, name, depth, aligned, segmentation, pose}</c>, each task with what it has.</summary>
    public IEnumerable<string> ToPictureLines() => Pictures.Select(picture => Written(indented: false, json =>
    {
        json.WriteNumber("index", picture.Index);
        json.WriteString("name", picture.Name);
        if (picture.Depth is { } depth) Write(json, "depth", depth.Named.Select(score => KeyValuePair.Create(score.Name, score.Value)));
        if (picture.Aligned is { } aligned) Write(json, "aligned", aligned.Named.Select(score => KeyValuePair.Create(score.Name, score.Value)));
        if (picture.Iou is { } iou) Write(json, "segmentation", [new("mIoU", iou)]);
        if (picture.Quality(PerceptionTask.Pose) is { } similarity) Write(json, "pose", [new("OKS", similarity), new("found", picture.Found!.Count)]);
    }));

    /// <summary>For people: a line a metric, the baseline's beside the model's, and the pictures that came out worst.</summary>
    public string ToTable()
    {
        var table = new StringBuilder().AppendLine(CultureInfo.InvariantCulture, $"{Model} on {Dataset}: {Samples} samples, {Protocol}");
        var width = Metrics.Select(metric => metric.Key.Length).DefaultIfEmpty(0).Max();
        var model = Math.Max(6, Model.Length);
        if (Baseline is not null) table.AppendLine(CultureInfo.InvariantCulture, $"  {"".PadRight(width)}  {Model.PadLeft(model)}  {Baseline.Model}");
        var other = Baseline?.Metrics.ToDictionary();
        foreach (var (name, value) in Metrics)
        {
            var beside = other is null ? "" : "  " + (other.TryGetValue(name, out var guess) ? Number(guess) : "-").PadLeft(Baseline!.Model.Length);
            table.AppendLine(CultureInfo.InvariantCulture, $"  {name.PadRight(width)}  {(other is null ? Number(value) : Number(value).PadLeft(model))}{beside}");
        }
        foreach (var task in Enum.GetValues<PerceptionTask>())
        {
            var worst = Ranked(task).Take(Shown).Where(picture => picture.Name.Length > 0).ToList();
            if (worst.Count > 0) table.AppendLine(CultureInfo.InvariantCulture, $"  worst {task.ToString().ToLowerInvariant()}: {string.Join(", ", worst.Select(picture => $"{picture.Name} ({PictureScores.QualityName(task)} {Number(picture.Quality(task)!.Value)})"))}");
        }
        return table.ToString();
    }

    /// <summary>The pictures of which something can be said, worst first.</summary>
    internal IEnumerable<PictureScores> Ranked(PerceptionTask task) => Pictures.Where(picture => picture.Quality(task) is not null).OrderBy(picture => picture.Quality(task)).ThenBy(picture => picture.Index);

    private static string Number(double value) => double.IsFinite(value) ? value.ToString("0.0000", CultureInfo.InvariantCulture) : "-";

    private static string Written(bool indented, Action<Utf8JsonWriter> write)
    {
        using var memory = new MemoryStream();
        using (var json = new Utf8JsonWriter(memory, new JsonWriterOptions { Indented = indented, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(memory.ToArray());
    }

    private static void Write(Utf8JsonWriter json, string key, IEnumerable<KeyValuePair<string, double>> values)
    {
        json.WriteStartObject(key);
        foreach (var (name, value) in values)
        {
            if (double.IsFinite(value)) json.WriteNumber(name, Math.Round(value, 6));
            else json.WriteNull(name);
        }
        json.WriteEndObject();
    }
}
