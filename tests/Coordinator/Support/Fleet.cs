using System.Collections.Concurrent;
using Federated.Shared.Protocol;
using Grpc.Core;

namespace Federated.Coordinator.Tests.Support;

/// <summary>Sites that behave as agents do: keep their bytes, connect again, send again; and a coordinator process that is started again whenever it dies.</summary>
internal sealed class Fleet(TestWorld world, string? failPoint) : IDisposable
{
    private static readonly string[] Names = ["alpha", "beta", "gamma"];

    private readonly ConcurrentDictionary<(string Site, int Round, int Attempt), byte[]> _updates = [];
    private CoordinatorProcess? _process;
    private TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _duplicates;
    private int _deaths;

    /// <summary>Updates that were acknowledged as known already.</summary>
    public int Duplicates => _duplicates;

    /// <summary>Times that the coordinator died.</summary>
    public int Deaths => _deaths;

    /// <summary>The process that runs now.</summary>
    public CoordinatorProcess Process => _process!;

    /// <summary>Called before each upload; a test may kill there.</summary>
    public Func<RoundPlan, string, TestSite, byte[], Task>? BeforeUpload { get; set; }

    /// <summary>Works until the run has finished.</summary>
    /// <returns>The bytes of the final adapter.</returns>
    public async Task<byte[]> RunToEndAsync()
    {
        Task supervising = SuperviseAsync();
        await Task.WhenAll(Names.Select(SiteAsync));
        (int code, _, string error) = await _process!.EndAsync();
        await supervising;
        Assert.True(code == 0, error);
        return await File.ReadAllBytesAsync(Path.Combine(world.State, "adapters", "mail", "adapter_model.safetensors"));
    }

    public void Dispose() => _process?.Dispose();

    private async Task SuperviseAsync()
    {
        string? point = failPoint;
        while (true)
        {
            _process = CoordinatorProcess.Serve(world, point, "--exit-when-finished");
            point = null;
            _address.SetResult(await _process.AddressAsync(world));
            (int code, _, string error) = await _process.EndAsync();
            if (code == 0)
                return;

            // 128 + SIGKILL: died where it was told to, and nowhere else.
            Assert.True(code == 137, $"exit code {code}: {error}");
            _deaths++;
            _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    private async Task SiteAsync(string name)
    {
        while (true)
        {
            Task<Uri> address = _address.Task;
            using TestSite site = new(await address, name, world.Tokens[name]);
            try
            {
                await site.JoinAsync();
                using TaskStream work = await site.WorkAsync();
                while (await WorkAsync(site, await work.NextAsync()))
                {
                    // On to the next task.
                }

                return;
            }
            catch (Exception e) when (e is RpcException { StatusCode: StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled } or EndOfStreamException)
            {
                // The coordinator died. Its address changes before it is back.
                while (_address.Task == address)
                    await Task.Yield();
            }
        }
    }

    private async Task<bool> WorkAsync(TestSite site, AgentTask task)
    {
        if (task.TaskCase == AgentTask.TaskOneofCase.Finished)
            return false;
        if (task.TaskCase != AgentTask.TaskOneofCase.Train)
            return true;

        RoundPlan plan = Records.Decode<RoundPlan>(task.Train.Memory, "plan");
        if (!_updates.TryGetValue((site.Name, plan.Round, plan.Attempt), out byte[]? update))
            _updates[(site.Name, plan.Round, plan.Attempt)] = update = Update.Good(await site.FetchAsync(plan.Global.Sha256), site.Name, plan.Round);
        if (BeforeUpload is not null)
            await BeforeUpload(plan, site.Name, site, update);
        UploadReceipt receipt = await site.UploadAsync(Update.Manifest(plan, site.Name, update), update);
        if (receipt.Duplicate)
            Interlocked.Increment(ref _duplicates);
        return true;
    }
}
