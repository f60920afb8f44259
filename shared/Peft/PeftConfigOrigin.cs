using System.Text.Json.Nodes;

namespace Federated.Shared.Peft;

/// <summary>The file that settings came from: its fields as they stood, and how this program would have written the settings then.</summary>
/// <param name="Given">All fields of the file, those without effect here included.</param>
/// <param name="Written">What the settings gave when they had just been read.</param>
internal sealed record PeftConfigOrigin(JsonObject Given, JsonObject Written);
