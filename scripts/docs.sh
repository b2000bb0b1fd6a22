#!/usr/bin/env bash
# The documentation of the library's API, docs/api/index.html. Fails where something exported has no description.
# --check: writes nothing.
set -euo pipefail
cd "$(dirname "$0")/../docs"

# TypeDoc reads programs with a TypeScript of its own: the one that compiles the package has no API for it.
cmp -s package-lock.json node_modules/.installed || {
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  cp package-lock.json node_modules/.installed
}
arguments=()
[[ ${1:-} == --check ]] && arguments=(--emit none)
node_modules/.bin/typedoc --options typedoc.json --logLevel Warn "${arguments[@]}"
[[ ${1:-} == --check ]] || echo "docs/api/index.html"
