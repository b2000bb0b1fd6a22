#!/usr/bin/env bash
# The tests. The last line is "N passed, N failed", where each native case, each mocha test and each gate (style, types,
# gyp build, sanitizers, one fuzz target …) counts one.
#   scripts/test.sh           what a contributor needs: style, types, api docs, native, mocha (`npm test`)
#   scripts/test.sh --all     everything else: other instruction sets, an emulated device, sanitizers … (`npm run test:all`)
#   scripts/test.sh NAME      of both, the steps whose names begin so: scripts/test.sh native, scripts/test.sh fuzz
# FAULTLINE_FUZZ_SECONDS: time for each fuzz target.
set -uo pipefail
cd "$(dirname "$0")/.."

group='' only=''
case ${1:-} in
  '') group=daily ;;
  --all) group=all ;;
  *) only=$1 ;;
esac
fuzz_seconds=${FAULTLINE_FUZZ_SECONDS:-15}
processors=$(nproc)
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$processors}
command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
export PATH="$PWD/node_modules/.bin:$PATH"

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
exec 8<scripts/test.sh # build-*/ belongs to one test run at a time
flock 8

in_group() { [[ -n $only || $group == "$1" ]]; }
selected() { [[ $1 == "$only"* ]]; }

count() { # name, passed, failed
  passed=$((passed + $2))
  failed=$((failed + $3))
  echo "== $1: $2 passed, $3 failed ($((SECONDS - started)) s)"
}

# A step that either holds or not. Its output is shown only when it fails.
gate() { # name, command …
  local name=$1
  shift
  selected "$name" || return 0
  local started=$SECONDS
  if "$@" >"$log" 2>&1; then
    count "$name" 1 0
  else
    local status=$?
    tail -n 60 "$log"
    count "$name" 0 1
    return "$status"
  fi
}

build_target() { # folder, target, cmake options …
  local folder=$1 target=$2
  shift 2
  cmake -S . -B "$folder" "$@" && cmake --build "$folder" --target "$target"
}

# The native tests, once with each instruction set in charge; 'emulated device' has those of native/cuda.
native() {
  [[ native == "$only"* || $only == native* ]] || return 0
  local tests=build/test/native/faultline_native_tests isa state
  gate 'native build' build_target build faultline_native_tests -DFAULTLINE_TESTS=ON || return 0
  gate 'native list' "$tests" --list-isas || return 0
  while read -r isa state; do
    selected "native, $isa" || continue
    if [[ $state != available ]]; then
      echo "== native, $isa: SKIPPED, ${state//-/ }"
      continue
    fi
    local started=$SECONDS
    FAULTLINE_ISA=$isa "$tests" --no-colors -tce='cuda*' >"$log" 2>&1
    local status=$? summary
    summary=$(sed -nE 's/.*test cases: +[0-9]+ \| +([0-9]+) passed \| +([0-9]+) failed.*/\1 \2/p' "$log")
    [[ -n $summary ]] || summary='0 1' # it died before the end
    ((status == 0)) || tail -n 60 "$log"
    ((status != 0)) && [[ $summary == *' 0' ]] && summary="${summary% 0} 1"
    count "native, $isa" $summary
  done < <("$tests" --list-isas)
}

# TypeScript tests, a file to a process and a processor: what needs more threads asks for them.
mocha_tests() { # name, mocha's arguments …
  local name=$1
  shift
  selected "$name" || return 0
  local started=$SECONDS stats
  rm -f build/mocha.json
  OMP_NUM_THREADS=1 FAULTLINE_MOCHA_STATS=build/mocha.json mocha --parallel --jobs "$processors" "$@"
  local status=$?
  stats=$(node -p 'const s = JSON.parse(require("fs").readFileSync("build/mocha.json")); `${s.passes} ${s.failures}`' \
    2>/dev/null) || stats='0 1'
  ((status != 0)) && [[ $stats == *' 0' ]] && stats="${stats% 0} 1"
  count "$name" $stats
}

# The same bits on every instruction set that this machine has or can emulate; each one counts one.
instruction_sets() {
  selected 'instruction sets' || return 0
  local started=$SECONDS summary
  bash test/isa/run.sh build | tee "$log"
  summary=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, .*/\1 \2/p' "$log")
  count 'instruction sets' ${summary:-0 1}
}

emulated_device() {
  build_target build faultline_native_tests -DFAULTLINE_TESTS=ON &&
    build/test/native/faultline_native_tests --no-colors -tc='cuda*'
}

sanitizers() {
  build_target build-asan faultline_native_tests -DFAULTLINE_TESTS=ON -DFAULTLINE_SANITIZE=ON &&
    build-asan/test/native/faultline_native_tests
}

# The addon under the sanitizers, called as nobody calls it (test/fuzz/raw_calls.ts); Node itself leaks by intent.
raw_calls() {
  local headers="$PWD/node_modules/node-api-headers/include;$PWD/node_modules/node-addon-api" libraries
  build_target build-asan faultline -DFAULTLINE_SANITIZE=ON -DCMAKE_JS_INC="$headers" || return 1
  libraries="$(g++ -print-file-name=libasan.so) $(g++ -print-file-name=libstdc++.so)"
  LD_PRELOAD=$libraries ASAN_OPTIONS=detect_leaks=0 OMP_NUM_THREADS=2 \
    node dist/test/fuzz/raw_calls.js "$PWD/build-asan/faultline.node" 200000
}

# Each target for fuzz_seconds, shared out over the instruction sets; from a fixed seed and an empty corpus, so that a
# failure can be repeated. What is found is written to build-fuzz/.
fuzz() {
  [[ fuzz == "$only"* || $only == fuzz* ]] || return 0
  gate 'fuzz build' build_target build-fuzz faultline_fuzzers -DFAULTLINE_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++-14 ||
    return 0
  local source target isa isas
  mapfile -t isas < <(node dist/lib/cli/main.js inspect --json |
    node -p 'JSON.parse(require("fs").readFileSync(0)).isa.all.filter((isa) => isa.available).map((isa) => isa.name).join("\n")')
  for source in test/fuzz/fuzz_*.cpp; do
    target=$(basename "$source" .cpp)
    for isa in "${isas[@]}"; do
      gate "$target, $isa" env FAULTLINE_ISA="$isa" "build-fuzz/test/fuzz/$target" -seed=1 \
        -max_total_time="$((fuzz_seconds / ${#isas[@]} + 1))" -artifact_prefix="build-fuzz/$target-$isa-"
    done
  done
}

if in_group daily; then
  gate 'style, TypeScript' biome ci .
  gate 'style, C++' bash scripts/clang-format.sh --check
  gate 'types' tsc -p tsconfig.json --noEmit
  gate 'api docs' bash scripts/docs.sh --check
  native
  mocha_tests mocha
fi
if in_group all; then
  instruction_sets
  # Before the long tests, which ask the addon for a device: on a machine without one too.
  if command -v nvcc >/dev/null; then
    gate 'cuda' bash scripts/cuda-check.sh
  elif selected cuda; then
    echo '== cuda: SKIPPED, no nvcc on this machine (the kernels run emulated)'
  fi
  gate 'gyp build' bash scripts/build-gyp.sh
  gate 'emulated device' emulated_device
  mocha_tests 'long tests' 'dist/test/**/*.all.test.js'
  gate 'sanitizers' sanitizers
  gate 'raw calls' raw_calls
  fuzz
fi

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
