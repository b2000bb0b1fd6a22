#!/usr/bin/env bash
# Compiles the CUDA kernels for every architecture they are meant for, reads what ptxas says of them (no kernel may spill
# registers or keep arrays in local memory), then builds and links the addon and has Node load it. Needs nvcc, no GPU.
#   scripts/cuda-check.sh          sm_80 and sm_90, and the addon
#   scripts/cuda-check.sh sm_90    only the kernels, for sm_90
set -euo pipefail
cd "$(dirname "$0")/.."

archs=("$@")
((${#archs[@]})) || archs=(sm_80 sm_90)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

for arch in "${archs[@]}"; do
  if ! nvcc -std=c++17 -O3 -arch="$arch" -Inative -Xptxas -v -cubin native/cuda/device.cu -o "$folder/device.cubin" \
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
(($#)) && exit

npm run --silent build:cuda >"$folder/log" 2>&1 || {
  tail -n 60 "$folder/log"
  exit 1
}
# Loads on a machine without a driver too: the driver is looked for when a device is opened.
node -e '
  const addon = require("./build-cuda/Release/faultline_cuda.node");
  if (typeof addon.matmulDynamic !== "function") throw new Error("the addon has no operations");'
if ldd build-cuda/Release/faultline_cuda.node | grep -q cuda; then
  echo 'the addon needs a CUDA library; the runtime ought to be in it'
  exit 1
fi
echo 'addon: built and loaded'
