namespace Federated.Simulations.Runs;

/// <summary>The assemblies of the two programs that a simulation starts; they are built beside this one.</summary>
public static class Programs
{
    /// <summary>The coordinator.</summary>
    public static string Coordinator { get; } = typeof(Coordinator.Rounds.RunDefinition).Assembly.Location;

    /// <summary>The client.</summary>
    public static string Client { get; } = typeof(Client.Agent.AgentLoop).Assembly.Location;
}
