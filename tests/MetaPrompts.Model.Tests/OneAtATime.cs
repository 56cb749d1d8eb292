// Leak tests count all living tensors of the process, and torch uses every core already.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]
