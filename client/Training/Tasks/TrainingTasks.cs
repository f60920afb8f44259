using System.Collections.Frozen;

namespace Federated.Client.Training.Tasks;

/// <summary>The tasks by name: a new one is one file and one line here.</summary>
public static class TrainingTasks
{
    private static readonly FrozenDictionary<string, ITrainingTask> Known =
        new ITrainingTask[] { new CausalLanguageModelTask(), new ImageClassificationTask(), new InstructionTask(), new SequenceClassificationTask() }
            .ToFrozenDictionary(task => task.Name, StringComparer.Ordinal);

    /// <summary>The known names, sorted.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Known.Keys.Order(StringComparer.Ordinal)];

    /// <summary>The task of a name.</summary>
    /// <exception cref="ArgumentException">Unknown; the message names the known ones.</exception>
    public static ITrainingTask Of(string name) => Known.TryGetValue(name, out ITrainingTask? task)
        ? task
        : throw new ArgumentException($"Unknown objective '{name}'; known: {string.Join(", ", Names)}.", nameof(name));
}
