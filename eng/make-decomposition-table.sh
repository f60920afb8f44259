#!/bin/sh
# Makes client/Tokenizers/Normalisers/decompositions.txt, what normalising text (Unicode NFC, NFD, NFKC, NFKD) needs of the Unicode
# Character Database. The .NET runtime normalises nothing in invariant-globalization mode, which the product runs in.
# Usage: eng/make-decomposition-table.sh [folder with UnicodeData.txt and CompositionExclusions.txt; Debian's package unicode-data installs it]
set -eu
cd "$(dirname "$0")/.."
source=${1:-/usr/share/unicode}
target=client/Tokenizers/Normalisers/decompositions.txt
[ -r "$source/UnicodeData.txt" ] || { echo "No UnicodeData.txt in $source: apt-get install unicode-data" >&2; exit 1; }
version=$(sed -n '1s/.*-\([0-9.]*\)\.txt.*/\1/p' "$source/CompositionExclusions.txt")
{
  echo "# Unicode $version, made by eng/make-decomposition-table.sh from UnicodeData.txt and CompositionExclusions.txt; licence in NOTICE."
  echo "# class CODE CCC: a combining class other than 0.  pair CODE FIRST SECOND: canonical decomposition, composed again."
  echo "# apart CODE FIRST [SECOND]: canonical decomposition that is never composed: one character, or excluded by Unicode."
  echo "# alike CODE FIRST [...]: compatibility decomposition."
  awk '
    FNR == NR { if ($1 ~ /^[0-9A-F]+$/) excluded[$1] = 1; next }
    {
      split($0, field, ";")
      if (field[4] != 0) print "class", field[1], field[4]
      if (field[6] == "") next
      if (field[6] ~ /</) { sub(/<[^>]*> /, "", field[6]); print "alike", field[1], field[6] }
      else print (field[1] in excluded || field[6] !~ / / ? "apart" : "pair"), field[1], field[6]
    }
  ' "$source/CompositionExclusions.txt" "$source/UnicodeData.txt"
} > "$target"
