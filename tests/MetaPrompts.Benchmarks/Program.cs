Console.WriteLine("see docs/5-operations/performance.md");
