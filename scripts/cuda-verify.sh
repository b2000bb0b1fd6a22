#!/usr/bin/env bash
# Everything that needs a GPU, in one command: builds, the exactness suite, compute-sanitizer, whole networks, benchmarks.
# Writes bench/results/<date>-<device>-cuda.{json,md} (or into --out FOLDER) and fails when a check does. About ten
# minutes on an H100 once built; what is missing (compute-sanitizer, PyTorch, Node) is said in the report, not fatal.
#   scripts/cuda-verify.sh                 build, then check and measure
#   scripts/cuda-verify.sh --built         with what was built before, on another machine perhaps
#   scripts/cuda-verify.sh --quick         no benchmarks
# Needs an NVIDIA driver; to build: nvcc 12 or later and what scripts/setup.sh --test installs.
set -uo pipefail
cd "$(dirname "$0")/.."

build=true benchmarks=true failed=false out=bench/results
while (($#)); do
  case $1 in
    --built) build=false ;;
    --quick) benchmarks=false ;;
    --out) out=$2 && shift ;;
    *) echo "cuda-verify: expected --built, --quick or --out FOLDER, received $1" >&2 && exit 2 ;;
  esac
  shift
done
mkdir -p "$out" build-cuda
lines=$(mktemp)
log=$(mktemp)
trap 'rm -f "$lines" "$log"' EXIT
exactness=build-cuda/test/native/cuda_exactness
bench=build-cuda/bench/cuda/cuda_bench

json() { node -p 'JSON.stringify(process.argv[1])' "$1" 2>/dev/null || printf '"%s"' "${1//[\"\\]/ }"; }

# check NAME SECONDS COMMAND…: a line with whether it passed; its output only when it did not.
check() {
  local name=$1 limit=$2 start=$SECONDS passed=true note=''
  shift 2
  echo "== $name"
  timeout "$limit" "$@" >"$log" 2>&1 || {
    note="exit $?: " passed=false failed=true
    tail -n 40 "$log"
  }
  local summary
  summary=$(grep -E 'test cases:|ERROR SUMMARY|RACECHECK SUMMARY|passing' "$log" | tail -n 1 | tr -s ' ')
  echo "{\"check\": $(json "$name"), \"passed\": $passed, \"note\": $(json "$note$summary"), \"seconds\": $((SECONDS - start))}" >>"$lines"
}
skip() { # name, why
  echo "== $1: SKIPPED, $2"
  echo "{\"check\": $(json "$1"), \"note\": $(json "$2")}" >>"$lines"
}

if $build; then
  bash scripts/setup.sh --test || exit 1
  export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
  npm run --silent build:cuda || exit 1
  cmake -S . -B build-cuda -DFAULTLINE_TESTS=ON >/dev/null &&
    cmake --build build-cuda --target cuda_exactness cuda_bench || exit 1
fi
[[ -x $exactness && -x $bench ]] || {
  echo "cuda-verify: no $exactness or $bench: run it without --built first" >&2
  exit 1
}

environment=$(nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,power.limit --format=csv,noheader 2>/dev/null | head -n 1)
echo "{\"environment\": $(json "GPU: ${environment:-nvidia-smi says nothing}")}" >>"$lines"
echo "{\"environment\": $(json "CPU: $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(nproc) logical")}" >>"$lines"

check 'exactness, native suite' 180 "$exactness" --no-colors
if command -v compute-sanitizer >/dev/null; then
  check 'compute-sanitizer memcheck' 240 compute-sanitizer --tool memcheck --leak-check full --error-exitcode 9 "$exactness" --no-colors
  check 'compute-sanitizer racecheck' 300 compute-sanitizer --tool racecheck --error-exitcode 9 "$exactness" --no-colors
  check 'compute-sanitizer synccheck' 180 compute-sanitizer --tool synccheck --error-exitcode 9 "$exactness" --no-colors
else
  skip 'compute-sanitizer' 'not on this machine'
fi
if command -v node >/dev/null && [[ -d node_modules && -f dist/test/support/device.js ]]; then
  FAULTLINE_TEST_DEVICE=cuda check 'exactness, whole networks' 180 \
    npx --no-install mocha 'dist/test/**/*.all.test.js' -g '^(device: single products|device plan|policy evaluator on the device)'
else
  skip 'exactness, whole networks' 'no Node or no compiled TypeScript'
fi

if $benchmarks && $failed; then
  skip 'benchmarks' 'kernels that failed a check are not timed'
elif $benchmarks; then
  echo '== benchmarks'
  timeout 240 "$bench" | tee -a "$lines"
  # cuBLASLt of a pip install is not on the library path; PyTorch brings its own.
  command -v python3 >/dev/null && timeout 240 python3 bench/cuda/torch_peers.py | tee -a "$lines"
  if command -v node >/dev/null && [[ -f dist/lib/index.js ]]; then
    OMP_NUM_THREADS=2 timeout 240 taskset -c 0,1 node bench/policies.mjs --images 10000 --device cuda --json | tee -a "$lines"
  fi
fi

device=$(sed -n 's/.*"device": "\([^"]*\)".*/\1/p' "$lines" | head -n 1)
name=${device:-${environment%%,*}}
name=${name:-no-gpu}
file=$out/$(date +%F)-$(tr -cs 'a-z0-9' - <<<"${name,,}" | sed 's/^-*//; s/-*$//')-cuda
if command -v node >/dev/null; then
  node bench/cuda/report.mjs "$lines" "$file"
else
  cp "$lines" "$file.jsonl"
  echo "no Node here: elsewhere, node bench/cuda/report.mjs $file.jsonl $file"
  ! grep -q '"passed": false' "$lines"
fi
