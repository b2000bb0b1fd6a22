#!/usr/bin/env bash
# All tests; what `npm test` runs once scripts/setup.sh --test is done. The last line is "N passed, N failed", where each
# native case, each mocha test and each gate (style, types, gyp build, sanitizers, one fuzz target …) counts one.
# FAULTLINE_FUZZ_SECONDS: time for each fuzz target. An argument runs only the steps whose name it begins:
#   scripts/test.sh mocha     scripts/test.sh native     scripts/test.sh fuzz
set -uo pipefail
cd "$(dirname "$0")/.."

only=${1:-}
fuzz_seconds=${FAULTLINE_FUZZ_SECONDS:-15}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)}
command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
export PATH="$PWD/node_modules/.bin:$PATH"

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
exec 8<scripts/test.sh # build-*/ belongs to one test run at a time
flock 8

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
    tail -n 60 "$log"
    count "$name" 0 1
    return 1
  fi
}

build_target() { # folder, target, cmake options …
  local folder=$1 target=$2
  shift 2
  cmake -S . -B "$folder" "$@" && cmake --build "$folder" --target "$target"
}

# The native tests, once with each instruction set in charge.
native() {
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
    FAULTLINE_ISA=$isa "$tests" --no-colors >"$log" 2>&1
    local status=$? summary
    summary=$(sed -nE 's/.*test cases: +[0-9]+ \| +([0-9]+) passed \| +([0-9]+) failed.*/\1 \2/p' "$log")
    [[ -n $summary ]] || summary='0 1' # it died before the end
    ((status == 0)) || tail -n 60 "$log"
    ((status != 0)) && [[ $summary == *' 0' ]] && summary="${summary% 0} 1"
    count "native, $isa" $summary
  done < <("$tests" --list-isas)
}

# The same bits on every instruction set that this machine has or can emulate; each one counts one.
instruction_sets() {
  selected 'instruction sets' || return 0
  local started=$SECONDS summary
  bash test/isa/run.sh build | tee "$log"
  summary=$(sed -nE '$s/^([0-9]+) passed, ([0-9]+) failed, .*/\1 \2/p' "$log")
  count 'instruction sets' ${summary:-0 1}
}

build_sanitized() { build_target build-asan faultline_native_tests -DFAULTLINE_TESTS=ON -DFAULTLINE_SANITIZE=ON; }
build_fuzzers() {
  build_target build-fuzz faultline_fuzzers -DFAULTLINE_FUZZ=ON -DCMAKE_CXX_COMPILER=clang++-14
}

sanitizers() { build_sanitized && build-asan/test/native/faultline_native_tests; }

# What the steps after mocha compile, while mocha leaves a processor idle; those steps say what fails.
compile_ahead() {
  [[ -z $only ]] || return 0
  renice -n 19 "$BASHPID" >/dev/null
  bash scripts/build-gyp.sh
  build_sanitized
  build_fuzzers
}

mocha_tests() {
  selected mocha || return 0
  local started=$SECONDS stats
  rm -f build/mocha.json
  FAULTLINE_MOCHA_STATS=build/mocha.json mocha
  local status=$?
  stats=$(node -p 'const s = JSON.parse(require("fs").readFileSync("build/mocha.json")); `${s.passes} ${s.failures}`' \
    2>/dev/null) || stats='0 1'
  ((status != 0)) && [[ $stats == *' 0' ]] && stats="${stats% 0} 1"
  count mocha $stats
}

# Each target for fuzz_seconds, shared out over the instruction sets; from a fixed seed and an empty corpus, so that a
# failure can be repeated. What is found is written to build-fuzz/.
fuzz() {
  [[ fuzz == "$only"* || $only == fuzz* ]] || return 0
  gate 'fuzz build' build_fuzzers || return 0
  local source target isa isas
  mapfile -t isas < <(build/test/native/faultline_native_tests --list-isas | sed -n 's/ available$//p')
  for source in test/fuzz/fuzz_*.cpp; do
    target=$(basename "$source" .cpp)
    for isa in "${isas[@]}"; do
      gate "$target, $isa" env FAULTLINE_ISA="$isa" "build-fuzz/test/fuzz/$target" -seed=1 \
        -max_total_time="$((fuzz_seconds / ${#isas[@]} + 1))" -artifact_prefix="build-fuzz/$target-$isa-"
    done
  done
}

gate 'style, TypeScript' biome ci .
gate 'style, C++' bash scripts/clang-format.sh --check
gate 'types' tsc -p tsconfig.json --noEmit
gate 'api docs' bash scripts/docs.sh --check
native
instruction_sets
# Before mocha, which asks the addon for a device: on a machine without one too.
if selected 'cuda'; then
  if command -v nvcc >/dev/null; then
    gate 'cuda' bash scripts/cuda-check.sh
  else
    echo '== cuda: SKIPPED, no nvcc on this machine (the kernels ran emulated, in the native tests)'
  fi
fi
compile_ahead >/dev/null 2>&1 &
mocha_tests
wait
gate 'gyp build' bash scripts/build-gyp.sh
gate 'sanitizers' sanitizers
fuzz

echo "$passed passed, $failed failed"
((failed == 0 && passed > 0))
