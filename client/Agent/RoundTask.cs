using System.Text;
using Federated.Shared.Protocol;

namespace Federated.Client.Agent;

/// <summary>A checked plan, and for which site it is to be followed.</summary>
public sealed record RoundTask
{
    /// <summary>Takes a plan that <see cref="PlanCheck"/> has passed.</summary>
    public RoundTask(RoundPlan plan, string site)
    {
        (Plan, Site, Key) = (plan, site, RoundKey.Of(plan));
        Identity = ContentHash.Of((byte[])[.. Encoding.UTF8.GetBytes(site), 0, .. Records.Encode(plan)]);
    }

    /// <summary>What to do.</summary>
    public RoundPlan Plan { get; }

    /// <summary>Who we are to the coordinator that sent it.</summary>
    public string Site { get; }

    /// <summary>Which round.</summary>
    public RoundKey Key { get; }

    /// <summary>Hash of site and plan: another coordinator's run of the same name has the same key, yet is other work.</summary>
    public ContentHash Identity { get; }
}
