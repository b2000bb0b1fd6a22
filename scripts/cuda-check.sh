#!/usr/bin/env bash
# Compiles the CUDA kernels for every architecture they are meant for and reads what ptxas says of them: no kernel may
# spill registers or keep arrays in local memory. Needs nvcc, no GPU.
#   scripts/cuda-check.sh          sm_80 and sm_90
#   scripts/cuda-check.sh sm_90    only these
set -euo pipefail
cd "$(dirname "$0")/.."

archs=("$@")
((${#archs[@]})) || archs=(sm_80 sm_90)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for arch in "${archs[@]}"; do
  if ! nvcc -std=c++17 -O3 -arch="$arch" -Inative -Xptxas -v -cubin native/cuda/kernels.cu -o "$folder/kernels.cubin" \
    >"$folder/log" 2>&1; then
    cat "$folder/log"
    exit 1
  fi
  # For each kernel ptxas prints its name, then its stack frame and spills, then its registers.
  awk -v arch="$arch" '
    /Compiling entry function/ { name = $0; sub(/^[^\x27]*\x27/, "", name); sub(/\x27.*/, "", name); kernels++ }
    /bytes stack frame/ {
      if ($1 != 0 || $5 != 0 || $9 != 0) { print arch ": " name ": " $0; bad++ }
    }
    /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); used = substr($0, RSTART + 5, RLENGTH - 5) + 0
      if (used > most) most = used }
    END {
      if (kernels == 0) { print arch ": ptxas reported no kernel"; exit 1 }
      print arch ": " kernels " kernels, at most " most " registers, " bad + 0 " with spills or stack"
      exit bad > 0
    }' "$folder/log"
done
