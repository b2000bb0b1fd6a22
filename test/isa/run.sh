#!/usr/bin/env bash
# Shows that every instruction set gives the same bits: builds the suite for x86-64 and arm64, runs it on everything this
# machine has or can emulate, and compares the hashes with those of the scalar reference. What cannot run here is
# skipped, aloud. The last line is "N passed, N failed, N skipped".
#   test/isa/run.sh [build folder]     default: build
set -uo pipefail
cd "$(dirname "$0")/../.."

native=${1:-build}
cross=build-aarch64
command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
machine=$(uname -m)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0
skipped=0

pass() { passed=$((passed + 1)) && echo "  passed   $1"; }
fail() { failed=$((failed + 1)) && echo "  FAILED   $1"; }
skip() { skipped=$((skipped + 1)) && echo "  SKIPPED  $1"; }

build() { # folder, cmake options …
  cmake -S . -B "$1" -DFAULTLINE_TESTS=ON "${@:2}" >"$work/build.log" 2>&1 &&
    cmake --build "$1" --target faultline_isa_suite --parallel "${CMAKE_BUILD_PARALLEL_LEVEL:-2}" \
      >>"$work/build.log" 2>&1 && return
  tail -n 40 "$work/build.log"
  fail "build of $1"
  return 1
}

# Runs the suite and compares it with the reference, which the first run makes.
check() { # name, ISA that has to be in charge, command …
  local name=$1 isa=$2
  shift 2
  if ! "$@" >"$work/out" 2>"$work/err"; then
    cat "$work/err" "$work/out"
    fail "$name: the suite found an error or did not run"
  elif [[ $(head -n 1 "$work/out") != "isa $isa" ]]; then
    fail "$name: expected isa $isa, received $(head -n 1 "$work/out")"
  elif [[ ! -e $work/reference ]]; then
    tail -n +2 "$work/out" | tee "$work/reference"
    pass "$name (the reference)"
  elif tail -n +2 "$work/out" | diff "$work/reference" - >"$work/diff"; then
    pass "$name"
  else
    cat "$work/diff"
    fail "$name: hashes differ from the reference"
  fi
}

# An object of an instruction set may bring one symbol into the program and nothing that the linker could share: a
# weak std:: template compiled for AVX-512 would crash an older processor.
check_symbols() { # nm, build folder
  local object symbols bad=0 count=0
  for object in "$2"/CMakeFiles/faultline_core.dir/native/kernels/*/*.o; do
    symbols=$("$1" --defined-only --extern-only "$object" | awk '{print $2}' | sort | tr -d '\n')
    count=$((count + 1))
    [[ $symbols == T || $symbols == D || $symbols == R ]] && continue
    echo "${object##*native/}: expected one strong symbol, received:"
    "$1" -C --defined-only --extern-only "$object" | head -n 5
    bad=1
  done
  if ((bad == 0 && count > 0)); then
    pass "symbols of $count kernel objects, $2"
  else
    fail "symbols of $count kernel objects, $2"
  fi
}

emulated() { # program, processor, ISA that it has to choose, suite
  if ! command -v "$1" >/dev/null; then
    skip "$2: no $1"
    return
  fi
  check "${1%-static} -cpu $2: $3" "$3" env -u FAULTLINE_ISA "$1" -cpu "$2" "$4"
}

if build "$native"; then
  suite=$native/test/isa/faultline_isa_suite
  "$suite" --list >"$work/list"
  wanted=(scalar avx2 avx512vnni amx_int8)
  [[ $machine == aarch64 ]] && wanted=(scalar neon_dotprod neon_i8mm)
  for isa in "${wanted[@]}"; do
    case $(sed -n "s/^$isa //p" "$work/list") in
      available) check "$isa, native" "$isa" env FAULTLINE_ISA="$isa" "$suite" ;;
      emulated) check "$isa, its machine code on the AMX emulator" "$isa" env FAULTLINE_ISA="$isa" "$suite" ;;
      *) skip "$isa: this processor lacks it, or it is not compiled" ;;
    esac
  done
  check_symbols nm "$native"
  if [[ $machine == x86_64 ]]; then
    emulated qemu-x86_64-static Nehalem scalar "$suite"
    emulated qemu-x86_64-static Haswell avx2 "$suite"
  fi
fi

if [[ $machine != x86_64 ]]; then
  skip "other arm64 processors: this is one, or something else again ($machine)"
elif ! command -v aarch64-linux-gnu-g++ >/dev/null; then
  skip 'arm64: no aarch64-linux-gnu-g++'
elif build "$cross" -DCMAKE_TOOLCHAIN_FILE="$PWD/test/isa/aarch64.cmake"; then
  suite=$cross/test/isa/faultline_isa_suite
  emulated qemu-aarch64-static cortex-a72 scalar "$suite"
  emulated qemu-aarch64-static neoverse-n1 neon_dotprod "$suite"
  emulated qemu-aarch64-static max neon_i8mm "$suite"
  check_symbols aarch64-linux-gnu-nm "$cross"
fi

echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0 && passed > 0))
