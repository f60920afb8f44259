// A table of replacements as SentencePiece compiles it, from an object of strings: a double array over UTF-8 bytes, then the replacements.
module.exports = function charsmap(entries) {
  const trie = {}, blob = [], places = {};
  for (const [from, to] of Object.entries(entries)) {
    if (!(to in places)) {
      places[to] = blob.length;
      blob.push(...Buffer.from(to), 0);
    }
    let node = trie;
    for (const byte of Buffer.from(from)) node = node[byte] ??= {};
    node.leaf = places[to];
  }
  const units = [0], used = new Set([0]);
  const lay = (node, at) => {
    const labels = Object.keys(node).map(label => label === 'leaf' ? 0 : Number(label));
    let offset = 1;
    while ((at ^ offset) === 0 || labels.some(label => used.has((at ^ offset) ^ label))) offset++;
    const base = at ^ offset;
    units[at] = ((units[at] ?? 0) | (offset << 10) | ('leaf' in node ? 0x100 : 0)) >>> 0;
    labels.forEach(label => used.add(base ^ label));
    if ('leaf' in node) units[base] = (0x80000000 | node.leaf) >>> 0;
    const children = Object.keys(node).filter(label => label !== 'leaf').map(Number);
    children.forEach(label => { units[base ^ label] = label; });
    children.forEach(label => lay(node[label], base ^ label));
  };
  lay(trie, 0);
  const nodes = Buffer.alloc((units.length + 256) * 4);
  units.forEach((unit, i) => nodes.writeUInt32LE(unit ?? 0, i * 4));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(nodes.length);
  return Buffer.concat([length, nodes, Buffer.from(blob)]);
};
