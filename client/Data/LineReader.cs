using System.Text;

namespace Federated.Client.Data;

/// <summary>Cuts a stream of bytes into lines of bounded length.</summary>
internal sealed class LineReader(Stream stream, string file, int maxLength)
{
    private byte[] _buffer = new byte[Math.Min(1 << 16, maxLength + 1)];
    private int _start;
    private int _end;

    /// <summary>Number of the line that was read last, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>Reads the next line without its end (LF or CR LF). It is valid until the next call.</summary>
    public bool TryRead(out ReadOnlyMemory<byte> line)
    {
        int searched = 0;
        while (true)
        {
            int found = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (found >= 0)
            {
                line = Take(searched + found);
                _start++;
                return true;
            }

            searched = _end - _start;
            if (!Fill())
                break;
        }

        line = searched > 0 ? Take(searched) : default;
        return searched > 0;
    }

    private ReadOnlyMemory<byte> Take(int length)
    {
        ReadOnlyMemory<byte> line = _buffer.AsMemory(_start, length);
        _start += length;
        if (++Line == 1 && line.Span.StartsWith(Encoding.UTF8.Preamble))
            line = line[Encoding.UTF8.Preamble.Length..];

        return line.Span is [.., (byte)'\r'] ? line[..^1] : line;
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            if (_end > maxLength)
                throw new DataFormatException(file, Line + 1, $"the line has more than {maxLength:N0} bytes; wanted fewer. Cut the text, or raise the limit.");

            Array.Resize(ref _buffer, (int)Math.Min(_buffer.Length * 2L, maxLength + 1L));
        }

        int read = stream.Read(_buffer.AsSpan(_end));
        _end += read;
        return read > 0;
    }
}
