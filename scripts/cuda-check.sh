#!/usr/bin/env bash
# Builds the CUDA addon, reads what ptxas says of its kernels on every architecture (none may spill registers or keep
# arrays in local memory), and has Node load it. Needs nvcc, no GPU.
set -euo pipefail
cd "$(dirname "$0")/.."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
rm -f build-cuda/native/cuda/CMakeFiles/faultline_cuda_device.dir/device.cu.o # what is up to date says nothing
if ! NVCC_APPEND_FLAGS='-Xptxas=-v' npm run --silent build:cuda >"$log" 2>&1; then
  tail -n 60 "$log"
  exit 1
fi
# For each kernel ptxas prints its name and architecture, then its stack frame and spills, then its registers.
awk '
  /Compiling entry function/ { split($0, part, "\047"); name = part[2]; arch = part[4]; kernels[arch]++ }
  /bytes stack frame/ && ($1 != 0 || $5 != 0 || $9 != 0) { print arch ": " name ": " $0; bad++ }
  /Used [0-9]+ registers/ {
    match($0, /Used [0-9]+/)
    used = substr($0, RSTART + 5, RLENGTH - 5) + 0
    if (used > most[arch]) most[arch] = used
  }
  END {
    for (arch in kernels) print arch ": " kernels[arch] " kernels, at most " most[arch] " registers"
    if (!("sm_80" in kernels) || !("sm_90" in kernels)) { print "ptxas reported no kernel for sm_80 or sm_90"; exit 1 }
    if (bad > 0) { print bad " with spills or stack"; exit 1 }
  }' "$log"

# Loads on a machine without a driver too: the driver is looked for when a device is opened.
node -e '
  const addon = require("./build-cuda/Release/faultline_cuda.node");
  if (typeof addon.matmulDynamic !== "function") throw new Error("the addon has no operations");'
if ldd build-cuda/Release/faultline_cuda.node | grep -q cuda; then
  echo 'the addon needs a CUDA library; the runtime ought to be in it'
  exit 1
fi
echo 'addon: built and loaded'
