using System.Runtime.ExceptionServices;

namespace MetaPrompts.Training.Data;

/// <summary>Makes things on all cores and hands them over in order, never more of them at a time than there are cores.</summary>
internal static class OrderedRendering
{
    /// <param name="render">Called with 0…count-1, from any thread.</param>
    public static IEnumerable<T> Run<T>(int count, Func<int, T> render)
    {
        for (var from = 0; from < count; from += Environment.ProcessorCount)
        {
            var made = new T[Math.Min(Environment.ProcessorCount, count - from)];
            var first = from;
            try
            {
                Parallel.For(0, made.Length, i => made[i] = render(first + i));
            }
            catch (AggregateException e)
            {
                ExceptionDispatchInfo.Throw(e.InnerExceptions[0]);      // what was wrong, not that several threads met it
            }
            foreach (var one in made) yield return one;
        }
    }
}
