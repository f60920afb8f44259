namespace Federated.Client.Models;

/// <summary>The <c>config.json</c> of a model that reads images.</summary>
public abstract record ImageModelConfig : ModelConfig
{
    /// <summary>The images, and their patches.</summary>
    public required ImageSize Image { get; init; }
}
