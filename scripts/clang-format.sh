#!/usr/bin/env bash
# Formats every C++ file in place; with --check only says which ones differ, and fails if any does.
set -euo pipefail
cd "$(dirname "$0")/.."

mode=(-i)
[[ ${1:-} == --check ]] && mode=(--dry-run -Werror)
# The major version is fixed: other ones lay the same code out differently.
folders=(native test)
[[ -d bench ]] && folders+=(bench)
find "${folders[@]}" -type f \( -name '*.h' -o -name '*.cpp' \) -print0 | xargs -0 clang-format-14 "${mode[@]}"
