#!/usr/bin/env bash
# Makes tests/Client/Tokenizers/Golden/*.json: what the tokenizers library and SentencePiece, both by their makers, give for each stage and model.
# Needs node and the npm registry; the tests only read the result.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v npm >/dev/null || { echo "npm is missing; install it with: apt-get install npm" >&2; exit 1; }
npm install --silent --no-save --ignore-scripts --prefix artifacts/npm/golden tokenizers@0.23.2 @agnai/sentencepiece-js@1.1.1
for what in library sentencepiece; do
  node "tests/Client/Tokenizers/Golden/make-$what.cjs" artifacts/npm/golden/node_modules "tests/Client/Tokenizers/Golden/$what.json"
done
