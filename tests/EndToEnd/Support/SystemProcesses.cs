using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Federated.EndToEnd.Tests.Support;

/// <summary>Processes as Linux knows them: who is whose child, signals, and the end of one that is no child of ours.</summary>
internal static partial class SystemProcesses
{
    public const int SigInt = 2, SigKill = 9, SigTerm = 15;

    private const int PidFdOpen = 434;
    private const short PollIn = 1;

    /// <summary>Ids of the living children of a process.</summary>
    public static IReadOnlyList<int> Children(int parent) =>
        [.. Directory.EnumerateDirectories("/proc").Select(path => Path.GetFileName(path)).Where(name => char.IsAsciiDigit(name[0]))
            .Select(name => int.Parse(name, CultureInfo.InvariantCulture)).Where(id => Stat(id) is { State: not 'Z' } stat && stat.Parent == parent)];

    /// <summary>Whether the process runs; one that has ended but was not yet collected by its parent does not.</summary>
    public static bool IsAlive(int id) => Stat(id) is { State: not ('Z' or 'X') };

    public static void Send(int id, int signal)
    {
        if (Kill(id, signal) != 0)
            throw new Win32Exception(Marshal.GetLastPInvokeError(), $"kill({id}, {signal})");
    }

    /// <summary>Completes when the process has ended: the kernel says so, nobody looks every so often.</summary>
    public static Task EndOfAsync(int id)
    {
        int descriptor = (int)SystemCall(PidFdOpen, id, 0);
        if (descriptor < 0)
            return Task.CompletedTask;

        return Task.Factory.StartNew(
            () =>
            {
                PollEntry entry = new() { Descriptor = descriptor, Events = PollIn };
                while (Poll(ref entry, 1, -1) < 0)
                    continue;
                _ = Close(descriptor);
            },
            CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
    }

    private static (char State, int Parent)? Stat(int id)
    {
        try
        {
            // "id (name) state parent ...": the name may hold anything, so the last parenthesis counts.
            string stat = File.ReadAllText($"/proc/{id}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture));
        }
        catch (IOException)
        {
            return null;
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int id, int signal);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(ref PollEntry entries, ulong count, int timeout);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);

    [StructLayout(LayoutKind.Sequential)]
    private struct PollEntry
    {
        public int Descriptor;
        public short Events;
        public short Returned;
    }
}
