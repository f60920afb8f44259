// Asks SentencePiece, compiled to WebAssembly, for what small models of every setting make of hard strings. See eng/make-tokenizer-golden.sh.
const fs = require('fs'), os = require('os'), path = require('path');
const { SentencePieceProcessor } = require(path.resolve(process.argv[2], '@agnai/sentencepiece-js'));
const charsmap = require('./charsmap.cjs');

// Protocol buffers by hand: a field is its number and wire type, then a varint, four bytes, or a length and bytes.
const varint = value => value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
const number = (field, value) => [...varint(field << 3), ...varint(value)];
const bytes = (field, value) => [...varint((field << 3) | 2), ...varint(value.length), ...value];
const float = (field, value) => [...varint((field << 3) | 5), ...Buffer.from(new Float32Array([value]).buffer)];

const [NORMAL, UNKNOWN, CONTROL, USER, UNUSED, BYTE] = [1, 2, 3, 4, 5, 6];
const byteTokens = Array.from({ length: 256 }, (_, value) => [`<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`, 0, BYTE]);
const start = [['<unk>', 0, UNKNOWN], ['<s>', 0, CONTROL], ['</s>', 0, CONTROL]];
const score = (token, i) => -2 - ((i * 7919) % 97) / 10 - (token.length > 1 ? 0 : 4);
const tokens = [...'▁abcdehlorstw é', '▁h', 'he', 'll', 'hell', 'hello', '▁hello', '▁w', 'or', '▁wor', 'ld', 'th', 'the', '▁the', 'aa', 'aaa', 'aaaa', 'er', '▁▁', '▁▁▁▁', '你好']
  .filter(token => token !== ' ').map((token, i) => [token, score(token, i), NORMAL]);
const map = { ' ': ' ', '\u3000': ' ', '\t': ' ', '\n': ' ', 'ﬁ': 'fi', '①': '1', 'e\u0301': 'é', 'A': 'a', 'B': 'the', '\u00ad': '', '\u200b': ' ', 'xx': 'o w' };
const model = ({ pieces = tokens, type, byteFallback = false, suffix = false, normalizer = {}, user = [] }) => {
  const all = [...start, ...(byteFallback ? byteTokens : []), ...pieces.filter(([token]) => !user.includes(token)), ...user.map(token => [token, 0, USER])];
  const spec = { map: null, dummy: true, extra: false, escape: true, ...normalizer };
  return Buffer.from([
    ...all.flatMap(([token, value, kind]) => bytes(1, [...bytes(1, Buffer.from(token)), ...float(2, value), ...number(3, kind)])),
    ...bytes(2, [...number(3, type), ...number(24, suffix ? 1 : 0), ...number(35, byteFallback ? 1 : 0)]),
    ...bytes(3, [...(spec.map ? bytes(2, charsmap(spec.map)) : []), ...number(3, spec.dummy ? 1 : 0), ...number(4, spec.extra ? 1 : 0), ...number(5, spec.escape ? 1 : 0)]),
  ]);
};
const even = tokens.map(([token, value, kind]) => [token, -Math.round(-value / 4) * 4, kind]);
const unused = tokens.map(([token, value, kind], i) => [token, value, token.length > 1 && i % 3 === 0 ? UNUSED : kind]);
const settings = [{}, { byteFallback: true }, { suffix: true }, { pieces: even }, { pieces: unused, byteFallback: true }, { pieces: [...tokens, ['o▁w', -2.5, NORMAL], ['o▁', -2.2, NORMAL]] }, { user: ['<mask>', 'lo w', '▁the', 'é'] },
  { normalizer: { extra: true } }, { normalizer: { dummy: false } }, { normalizer: { dummy: false, extra: true }, user: ['aaa'] }, { normalizer: { escape: false } }, { byteFallback: true, normalizer: { map, extra: true } }, { normalizer: { map }, user: ['A'] }];
const texts = ['', ' ', '   ', 'hello world', ' hello  the world ', 'hellohello', 'aaaaaaaaaaa', '▁hello▁', 'the\tworld\n', 'xyz the xyz', 'éée\u0301', '你好 world 漢字漢', '😀 hello👍🏽', '<s>hello</s> <unk>', 'a<mask>b <mask>', 'lo worlo w',
  'ABBA\u3000ﬁ①', '\u00ad\u200b', 'xxhello xx', '<0x41> hello', 'the theatre others', 'h e l l o', '\u00e9\u0301 q\u0323'];

(async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sentencepiece-')), models = [];
  for (const type of [1, 2]) {
    for (const setting of settings) {
      const bytes = model({ ...setting, type }), file = path.join(folder, 'tokenizer.model'), processor = new SentencePieceProcessor();
      fs.writeFileSync(file, bytes);
      await processor.load(file);
      models.push({ model: bytes.toString('base64'), cases: texts.map(text => {
        const ids = [...processor.encodeIds(text)];
        return { text, ids, decoded: processor.decodeIds(ids) };
      }) });
    }
  }
  fs.rmSync(folder, { recursive: true });
  const line = value => JSON.stringify(value).replace(/[\u0080-\uffff]/g, unit => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'));
  fs.writeFileSync(process.argv[3], `{\n"made_by": "SentencePiece, as @agnai/sentencepiece-js 1.1.1 has it",\n"models": [\n${models.map(line).join(',\n')}\n]\n}\n`);
})();
