using System.Buffers;

namespace Federated.Client.Data;

/// <summary>Passes text on to a CSV parser, which holds a whole record at a time, and stops where a record is longer or has more fields than is taken.</summary>
internal sealed class CsvRecordBounds(TextReader text, string file, int maxLength) : TextReader
{
    /// <summary>Fields that one record may have: the parser spends some 60 bytes on each, however short.</summary>
    internal const int MaxFields = 10_000;

    private static readonly SearchValues<char> Marks = SearchValues.Create("\",\r\n");
    private int _line = 1, _record = 1, _fields = 1;
    private long _length;
    private bool _quoted, _afterReturn;

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read(Span<char> buffer)
    {
        int read = text.Read(buffer);
        Follow(buffer[..read]);
        return read;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            text.Dispose();
        base.Dispose(disposing);
    }

    private void Follow(ReadOnlySpan<char> read)
    {
        while (!read.IsEmpty)
        {
            int plain = read.IndexOfAny(Marks);
            _length += plain < 0 ? read.Length : plain + 1;
            if (_length > maxLength)
                throw new DataFormatException(file, _record, $"the record has more than {maxLength:N0} characters; wanted fewer. A quote that is opened and never closed also looks like this.");
            if (plain < 0)
            {
                _afterReturn = false;
                return;
            }

            _afterReturn &= plain == 0;
            Take(read[plain]);
            read = read[(plain + 1)..];
        }
    }

    private void Take(char mark)
    {
        bool secondOfTwo = mark == '\n' && _afterReturn;
        _afterReturn = mark == '\r';
        if (mark == '"')
        {
            // Doubled quotes inside a field turn this off and on again.
            _quoted = !_quoted;
        }
        else if (mark != ',')
        {
            _line += secondOfTwo ? 0 : 1;
            if (!_quoted)
                (_record, _fields, _length) = (_line, 1, 0);
        }
        else if (!_quoted && ++_fields > MaxFields)
        {
            throw new DataFormatException(file, _record, $"the record has more than {MaxFields:N0} fields; wanted fewer.");
        }
    }
}
