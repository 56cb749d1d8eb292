using System.Globalization;
using MetaPrompts.Io.Imaging;

namespace MetaPrompts.Training.Reports;

/// <summary>A run's numbers, a line per step: metrics.csv.</summary>
internal sealed class MetricsTable : IDisposable
{
    private readonly StreamWriter _file;
    private bool _headed;

    /// <param name="step">Steps already taken: a resumed run goes on in the same table, without the lines of steps that will be taken again.</param>
    public MetricsTable(string path, int step)
    {
        var kept = File.Exists(path) ? File.ReadAllLines(path).Take(step + 1).ToList() : [];
        File.WriteAllLines(path, kept);
        _headed = kept.Count > 0;
        _file = new StreamWriter(path, append: true) { AutoFlush = true };
    }

    public void Add(TrainingProgress progress)
    {
        var losses = progress.Losses.OrderBy(loss => loss.Key, StringComparer.Ordinal).ToList();
        if (!_headed) _file.WriteLine(string.Join(',', ["step", "loss", .. losses.Select(loss => loss.Key), "learning_rate", "gradient_norm"]));
        _headed = true;
        _file.WriteLine(string.Join(',', ((double[])[progress.Step, progress.Loss, .. losses.Select(loss => loss.Value), progress.LearningRate, progress.GradientNorm])
            .Select(value => value.ToString("G6", CultureInfo.InvariantCulture))));
    }

    /// <summary>The table as curves, one panel a column.</summary>
    /// <exception cref="Core.Errors.SinkFailedException">The picture cannot be written.</exception>
    public static void Draw(string table, string picture)
    {
        var lines = File.ReadAllLines(table);
        if (lines.Length < 3) return;
        var names = lines[0].Split(',');
        var rows = lines.Skip(1).Select(line => line.Split(',')).Where(row => row.Length == names.Length)
            .Select(row => Array.ConvertAll(row, text => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN)).ToList();
        LineChart.Write(picture, [.. Enumerable.Range(1, names.Length - 1).Select(column => new ChartLine(names[column], [.. rows.Select(row => (row[0], row[column]))]))]);
    }

    public void Dispose() => _file.Dispose();
}
