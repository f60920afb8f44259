namespace TorchSharp.Utils;

/// <summary>The name of a field's module, parameter or buffer in the state dictionary, instead of the field's own.</summary>
public class ComponentNameAttribute : Attribute
{
    public string Name { get; set; } = "";
}
