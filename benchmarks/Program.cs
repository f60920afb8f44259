using System.CommandLine;
using Federated.Benchmarks;

RootCommand root = new("Measurements of this product beside a peer: the same work, the same machine, the same run.")
{
    AggregationBenchmark.Command(),
    AggregationWorker.Command(),
    GenerationBenchmark.Command(),
    GenerationWorker.Command(),
    TokenizerBenchmark.Command(),
    LoadingBenchmark.Command(),
    LoadingWorker.Command(),
    TrainStepBenchmark.Command(),
    TrainStepWorker.Command(),
#if !OFFICIAL_PACKAGES
    DispatchBenchmark.Command(),
#endif
};
return await root.Parse(args).InvokeAsync();
