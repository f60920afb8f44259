using System.Buffers.Binary;
using System.Security.Cryptography;
using Federated.Shared.Protocol;

namespace Federated.Coordinator.Rounds;

/// <summary>Makes the plan of a round: a function of the run's description, the model and the global adapter.</summary>
internal static class PlanFactory
{
    /// <summary>The plan of one attempt at a round.</summary>
    public static RoundPlan Create(RunDefinition run, IReadOnlyList<ModelFile> model, BlobReference global, int round, int attempt) => new()
    {
        Run = run.Run,
        Round = round,
        Attempt = attempt,
        Method = run.Method,
        Model = model,
        Global = global,
        Adapter = run.Adapter,
        Training = run.Training with
        {
            StepOffset = (round - 1) * run.Training.Steps,
            TotalSteps = run.Rounds * run.Training.Steps,
        },
        Seed = Seed(run.Seed, round),
        NormCap = run.NormCap,
    };

    /// <summary>Seed of a round: the first 8 bytes of SHA-256(run's seed as u64, round as u32). Every attempt has the same, so a retry gives the same update.</summary>
    private static ulong Seed(ulong seed, int round)
    {
        Span<byte> text = stackalloc byte[12];
        BinaryPrimitives.WriteUInt64LittleEndian(text, seed);
        BinaryPrimitives.WriteInt32LittleEndian(text[8..], round);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        return BinaryPrimitives.ReadUInt64LittleEndian(hash);
    }
}
