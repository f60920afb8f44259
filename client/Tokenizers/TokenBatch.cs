namespace Federated.Client.Tokenizers;

/// <summary>The ids of one text or pair.</summary>
/// <param name="Ids">Ids, special tokens included.</param>
/// <param name="TypeIds">Segment of each id; null if all are 0.</param>
/// <param name="SpecialTokensMask">1 where the template put a special token, 0 where the text has its tokens, special ones written out in it included.</param>
public sealed record TokenRow(int[] Ids, int[]? TypeIds, int[] SpecialTokensMask)
{
    /// <summary>Number of tokens.</summary>
    public int Length => Ids.Length;
}

/// <summary>Rows filled up to equal length, as a model takes them. All arrays have the shape (rows, columns), row by row.</summary>
/// <param name="Rows">Number of rows.</param>
/// <param name="Columns">Places of a row.</param>
/// <param name="InputIds">Ids; the padding id where there is no token.</param>
/// <param name="AttentionMask">1 where there is a token, 0 where there is padding.</param>
/// <param name="TypeIds">Segment of each token; 0 in padding.</param>
public sealed record TokenBatch(int Rows, int Columns, long[] InputIds, long[] AttentionMask, long[] TypeIds);
