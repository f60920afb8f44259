using System.Text.Json;
using Federated.Shared.Protocol;
using Federated.Simulations.Data;

namespace Federated.Simulations.Pretraining;

/// <summary>Public text for pretraining: training documents, and two kinds of held-out ones to measure on.</summary>
/// <param name="Training">Documents to learn from.</param>
/// <param name="HeldOutSpeeches">State of the Union addresses left out: every tenth one.</param>
/// <param name="HeldOutMail">Mails of the pretraining split left out: those whose hash falls in the lowest tenth.</param>
public sealed record PretrainingCorpus(IReadOnlyList<string> Training, IReadOnlyList<string> HeldOutSpeeches, IReadOnlyList<string> HeldOutMail)
{
    /// <summary>Reads both sources. No mail of the training or test split is touched.</summary>
    /// <param name="sotu">Addresses.</param>
    /// <param name="mail">The mail corpus.</param>
    /// <param name="mailRepeats">How often each training mail stands in the text: there is far less mail than speech.</param>
    /// <exception cref="InvalidDataException">A file is damaged; it is named.</exception>
    public static PretrainingCorpus Load(string sotu, string mail, int mailRepeats)
    {
        List<string> training = [], speeches = [], letters = [];
        int number = 0;
        foreach (string line in File.ReadLines(sotu))
        {
            number++;
            SotuAddress address;
            try
            {
                address = JsonSerializer.Deserialize<SotuAddress>(line) is { Text: not null } read ? read : throw new JsonException("no text");
            }
            catch (JsonException e)
            {
                throw new InvalidDataException($"{sotu}:{number}: no State of the Union record; make the file anew with eng/prepare-sotu.sh.", e);
            }

            (address.HeldOut ? speeches : training).Add(address.Text);
        }

        foreach (MailRecord record in MailCorpus.Load(mail).Where(record => record.Split == MailSplits.Pretrain))
        {
            bool heldOut = ContentHash.Of(System.Text.Encoding.UTF8.GetBytes(record.Id)).ToArray()[0] < 26;
            if (heldOut)
                letters.Add(record.Text);
            else
                training.AddRange(Enumerable.Repeat(record.Text, mailRepeats));
        }

        return new(training, speeches, letters);
    }
}
