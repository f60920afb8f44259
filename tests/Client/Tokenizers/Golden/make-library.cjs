// Asks Hugging Face's tokenizers library for what its stages, models and added tokens make of hard strings. See eng/make-tokenizer-golden.sh.
const fs = require('fs'), path = require('path');
const library = require(path.resolve(process.argv[2], 'tokenizers'));
const charsmap = require('./charsmap.cjs');

const texts = ['', ' ', 'Hello world', '  two  spaces ', 'tab\tand\r\nlines\n', "It's I'LL, don't!", 'a1b22½①Ⅷ𝟙', 'x==0 && y!=1 -> {[(`~$^)]}', 'café nai\u0308ve Å \u1100\u1161\u11a8 한국',
  'İstanbul ΣΊΣΥΦΟΣ ß ẞ ǅ', '你好,世界 日本語テスト 한국어', 'नमस्ते สวัสดี שלום', '😀👍🏽 👨\u200d👩\u200d👧 🇫🇷', '𝓗𝓮 𠀀𫠠', 'ﬁ ﷺ ㎏ ｈ\u3000\u00a0\u2028\u0085', '\u0000\u0007\ufeff\u200b\u00ad\ue000\ufffd', '▁a ▁▁b▁',
  'q\u0307\u0323 z\u0351\u036b', 'the-final--countdown', 'Ⓐ_foo·bar', '<s>text</s>', '##s </w>'];
const map = { ' ': ' ', '\u3000': ' ', '\t': ' ', 'ﬁ': 'fi', '①': '1', 'é': 'e', 'e\u0301': 'é', 'A': 'a', 'ab': 'X', '\u00ad': '', '👍🏽': '+', '\r\n': '|', 'ｈ': 'h' };

const base = { version: '1.0', truncation: null, padding: null, added_tokens: [], normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null,
  model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: { '[UNK]': 0 } } };
const load = parts => library.Tokenizer.fromString(JSON.stringify({ ...base, ...parts }));
const bert = (clean_text, handle_chinese_chars, strip_accents, lowercase) => ({ type: 'BertNormalizer', clean_text, handle_chinese_chars, strip_accents, lowercase });
const split = (pattern, behavior, invert) => ({ type: 'Split', pattern, behavior, invert });
const behaviors = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

const normalizers = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents'].map(type => ({ type })).concat(
  [bert(true, true, null, true), bert(true, true, null, false), bert(false, true, true, false), bert(true, false, false, true), bert(false, false, null, true)],
  [{ type: 'Strip', strip_left: true, strip_right: false }, { type: 'Strip', strip_left: false, strip_right: true }, { type: 'Strip', strip_left: true, strip_right: true }],
  [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }, { type: 'Replace', pattern: { Regex: '\\w\\b|\\s+' }, content: '$0_' }],
  [{ type: 'Precompiled', precompiled_charsmap: charsmap(map).toString('base64') }],
  [{ type: 'Sequence', normalizers: [{ type: 'NFKD' }, { type: 'StripAccents' }, { type: 'Lowercase' }, { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' }] }]);

const metaspace = [['always', true], ['always', false], ['first', true], ['never', true]].map(([prepend_scheme, split]) => ({ type: 'Metaspace', replacement: '▁', prepend_scheme, split }));
const preTokenizers = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'].map(type => ({ type })).concat(
  metaspace, [true, false].map(individual_digits => ({ type: 'Digits', individual_digits })), behaviors.map(behavior => ({ type: 'Punctuation', behavior })),
  behaviors.flatMap(behavior => [true, false].flatMap(invert => [split({ Regex: '\\w+|[^\\w\\s]++' }, behavior, invert), split({ String: '-' }, behavior, invert)])),
  [split({ Regex: '^\\w+|\\h\\h|(?<=a).(?!b)' }, 'Isolated', false), { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', replacement: '_', add_prefix_space: true }, { type: 'Digits', individual_digits: true }] }]);

const rows = [[], ['Hello', 'Ġworld', 'Ģ', '<s>'], ['▁a', 'b▁▁', '▁c'], ['<0xE4>', '<0xBD>', '<0xA0>', 'x', '<0xFF>', '<0xe4>', '<0x4G>'], ['it', "'", '##s', 'do', 'not', '!', '?', '##'], ['low</w>', 'er', 'est</w>'], ['  a ', ' ', '   ', 'aba']];
const decoders = ['ByteLevel', 'ByteFallback', 'Fuse'].map(type => ({ type, ...(type === 'ByteLevel' ? { add_prefix_space: true, trim_offsets: true, use_regex: true } : {}) })).concat(
  metaspace, [true, false].map(cleanup => ({ type: 'WordPiece', prefix: '##', cleanup })), [{ type: 'BPEDecoder', suffix: '</w>' }],
  [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'Replace', pattern: { Regex: '[ab]' }, content: '-' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }, { type: 'Strip', content: 'a', start: 3, stop: 0 }],
  [{ type: 'Sequence', decoders: [{ type: 'Replace', pattern: { String: '▁' }, content: ' ' }, { type: 'ByteFallback' }, { type: 'Fuse' }, { type: 'Strip', content: ' ', start: 1, stop: 0 }] }]);

// Ids as the library gives them: those of the vocabulary, then the next ones.
const added = (content, flags = {}) => ({ content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags });
const letters = [...'abcdehlorstw▁ é'];
const index = tokens => Object.fromEntries(tokens.map((token, id) => [token, id]));
const bytes = Array.from({ length: 256 }, (_, value) => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`);
const merges = [['h', 'e'], ['l', 'l'], ['he', 'll'], ['hell', 'o'], ['▁', 'w'], ['▁w', 'o'], ['r', 'l'], ['▁wo', 'rl'], ['t', 'he'], ['a', 'a'], ['aa', 'aa'], ['b', 'a']];
const bpe = (options = {}, extra = []) => ({ type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: null, end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false,
  vocab: index(['<unk>', '<s>', '</s>', ...letters, ...merges.map(pair => pair.join('')), ...extra]), merges, ...options });
const affixed = (prefix, suffix) => ({ type: 'BPE', dropout: null, unk_token: '<unk>', continuing_subword_prefix: prefix, end_of_word_suffix: suffix, fuse_unk: true, byte_fallback: false,
  vocab: index([...new Set(['<unk>', ...[...'helo'].flatMap(c => [c, prefix + c, c + suffix, prefix + c + suffix]), 'he', 'hel', `${prefix}lo${suffix}`])]),
  merges: [['h', prefix + 'e'], [prefix + 'l', prefix + 'o' + suffix], ['he', prefix + 'l']] });
const scored = (tokens, seed) => tokens.map((token, i) => [token, i < 3 ? 0 : -2 - ((i * 7919 + seed) % 97) / 10 - (token.length > 1 ? 0 : 3)]);
const unigram = (options = {}, extra = []) => ({ type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: scored(['<unk>', '<s>', '</s>', ...letters, '▁he', 'llo', '▁hell', 'o▁', 'wor', 'ld', 'orl', '▁w', 'aa', 'aaa', 'the', '▁the', 'er', ...extra], 3), ...options });
const wordpiece = (options = {}) => ({ type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 12,
  vocab: index(['[UNK]', '[CLS]', '[SEP]', 'hello', 'hell', '##o', 'wor', '##ld', '##l', '##d', 'a', '##a', '##aa', '##', 'é', 'the', '!', ',', '世']), ...options });
const inputs = [...texts, 'hello world', 'hellohello worldthe', 'aaaaaaaaaaaaaaaaa', 'aaaaaaaaaaaaa b', 'xxhelloyy zz', 'hello<s>hello </s> world', '▁hello▁world', 'say <mask> the  <mask>x', 'THE the Hello HELLO hellos', 'the<mid>world <mid> a', '<s>', ' <s> </s>', '\u00e9\u00e9 \u6f22\u5b57', 'world world'];
const flagged = [added('<s>', { special: true }), added('</s>', { special: true, normalized: true }), added('<mask>', { lstrip: true }), added('the', { single_word: true, normalized: true }),
  added('<mid>', { rstrip: true, lstrip: true, special: true }), added('Hello', { normalized: true }), added('  ')];
const legacy = { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, { type: 'Replace', pattern: { String: ' ' }, content: '▁' }] };
const template = { type: 'TemplateProcessing', single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }], pair: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }, { SpecialToken: { id: '</s>', type_id: 1 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] }, '</s>': { id: '</s>', ids: [2, 1], tokens: ['</s>', '<s>'] } } };
const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
const tokenizers = [
  { model: bpe(), normalizer: legacy, added_tokens: flagged, post_processor: template }, { model: bpe({ fuse_unk: true }), normalizer: legacy },
  { model: bpe({ byte_fallback: true, fuse_unk: true }, bytes), normalizer: legacy }, { model: bpe({ byte_fallback: true, fuse_unk: true }, bytes.slice(0, 200)), normalizer: legacy },
  { model: bpe({ ignore_merges: true }, ['hellohello']), pre_tokenizer: { type: 'WhitespaceSplit' } }, { model: bpe({ unk_token: null }), decoder: { type: 'Fuse' } },
  { model: bpe({ ignore_merges: false }), pre_tokenizer: byteLevel }, { model: bpe({ byte_fallback: true }, bytes), pre_tokenizer: byteLevel },
  { model: bpe(), normalizer: { type: 'Lowercase' }, added_tokens: flagged }, { model: affixed('', '</w>'), pre_tokenizer: { type: 'Whitespace' }, decoder: { type: 'BPEDecoder', suffix: '</w>' } },
  { model: affixed('##', ''), pre_tokenizer: { type: 'Whitespace' } }, { model: affixed('@', '$'), pre_tokenizer: { type: 'WhitespaceSplit' } },
  { model: unigram(), pre_tokenizer: metaspace[0], decoder: metaspace[0], added_tokens: flagged }, { model: unigram(), pre_tokenizer: metaspace[2], decoder: metaspace[3] },
  { model: unigram({ byte_fallback: true }, bytes), pre_tokenizer: metaspace[1] }, { model: unigram({ byte_fallback: true }, bytes.slice(0, 220)), normalizer: legacy },
  { model: unigram(), normalizer: { type: 'Precompiled', precompiled_charsmap: charsmap(map).toString('base64') }, pre_tokenizer: metaspace[0] },
  { model: wordpiece(), normalizer: bert(true, true, null, true), pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece', prefix: '##', cleanup: true }, post_processor: { type: 'BertProcessing', sep: ['[SEP]', 2], cls: ['[CLS]', 1] }, added_tokens: [added('[SEP]', { special: true }), added('HELLO', { normalized: true })] },
  { model: wordpiece({ continuing_subword_prefix: '' }), pre_tokenizer: { type: 'WhitespaceSplit' }, post_processor: { type: 'RobertaProcessing', sep: ['[SEP]', 2], cls: ['[CLS]', 1], trim_offsets: true, add_prefix_space: true } },
  { model: wordpiece(), pre_tokenizer: byteLevel },
];

(async () => {
  const golden = { made_by: 'tokenizers 0.23.2', normalizers: [], pre_tokenizers: [], decoders: [], tokenizers: [] };
  for (const stage of normalizers) {
    const made = load({ normalizer: stage }).getNormalizer();
    golden.normalizers.push({ stage, cases: texts.map(text => [text, made.normalizeString(text)]) });
  }
  for (const stage of preTokenizers) {
    const made = load({ pre_tokenizer: stage }).getPreTokenizer();
    golden.pre_tokenizers.push({ stage, cases: texts.map(text => [text, made.preTokenizeString(text).map(piece => piece[0])]) });
  }
  for (const stage of decoders) {
    const made = load({ decoder: stage }).getDecoder();
    const fit = stage.type === 'BPEDecoder' ? rows.filter(row => row.length > 0) : rows;
    golden.decoders.push({ stage, cases: fit.map(row => [row, made.decode(row)]) });
  }
  for (const parts of tokenizers) {
    const { vocab } = parts.model, known = Array.isArray(vocab) ? Object.fromEntries(vocab.map(([token], id) => [token, id])) : vocab;
    let next = Object.keys(known).length;
    parts.added_tokens = (parts.added_tokens ?? []).map(token => ({ id: known[token.content] ?? next++, ...token }));
    const tokenizer = load(parts), cases = [];
    for (const text of inputs) {
      const encoding = await tokenizer.encode(text), plain = await tokenizer.encode(text, null, { addSpecialTokens: false }), pair = await tokenizer.encode(text, 'hello');
      const ids = encoding.getIds();
      cases.push({ text, ids, plain: plain.getIds(), pair: pair.getIds(), types: pair.getTypeIds(), mask: pair.getSpecialTokensMask(), decoded: await tokenizer.decode(ids, false), skipped: await tokenizer.decode(ids, true) });
    }
    golden.tokenizers.push({ tokenizer: { ...base, ...parts }, cases });
  }
  const line = value => JSON.stringify(value).replace(/[\u0080-\uffff]/g, unit => '\\u' + unit.charCodeAt(0).toString(16).padStart(4, '0'));
  const list = name => `"${name}": [\n${golden[name].map(line).join(',\n')}\n]`;
  fs.writeFileSync(process.argv[3], `{\n"made_by": "${golden.made_by}",\n${['normalizers', 'pre_tokenizers', 'decoders', 'tokenizers'].map(list).join(',\n')}\n}\n`);
})();
