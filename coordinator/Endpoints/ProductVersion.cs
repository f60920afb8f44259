using System.Reflection;

namespace Federated.Coordinator.Endpoints;

/// <summary>Version of this program.</summary>
internal static class ProductVersion
{
    /// <summary>Major, minor, patch.</summary>
    public static string Text { get; } = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0.0.0";
}
