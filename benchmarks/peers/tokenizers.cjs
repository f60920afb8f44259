// Peer of the tokenizers benchmark: Hugging Face's tokenizers library, which is written in Rust, through its own bindings for node. Prints one JSON line.
// usage: node tokenizers.cjs PACKAGE TOKENIZER.JSON TEXT REPEATS; RAYON_NUM_THREADS and TOKENIZERS_PARALLELISM set the threads.
const fs = require('fs');
const { Tokenizer } = require(process.argv[2]);

(async () => {
  const tokenizer = Tokenizer.fromFile(process.argv[3]);
  const documents = fs.readFileSync(process.argv[4], 'utf8').split('\n\n').filter(document => document.length > 0);
  const bytes = documents.reduce((sum, document) => sum + Buffer.byteLength(document), 0);
  const cpu = [], wall = [];
  let tokens = 0;
  for (let turn = 0; turn <= Number(process.argv[5]); turn++) {
    const before = process.cpuUsage(), started = process.hrtime.bigint();
    const encodings = await tokenizer.encodeBatch(documents);
    const used = process.cpuUsage(before);
    wall.push(bytes / (Number(process.hrtime.bigint() - started) / 1e9) / 1e6);
    cpu.push(bytes / ((used.user + used.system) / 1e6) / 1e6);
    tokens = encodings.reduce((sum, encoding) => sum + encoding.getLength(), 0);
  }
  const median = values => values.slice(1).sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
  console.log(JSON.stringify({ cpu_rate: median(cpu), wall_rate: median(wall), tokens }));
})();
