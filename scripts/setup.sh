#!/usr/bin/env bash
# Makes a fresh clone ready: system packages, node modules, the native addon (build/), the compiled TypeScript (dist/).
# Run by `npm start`; --test adds what `npm test` needs, --test-all what `npm run test:all` needs. Whatever is up to date
# is left alone, so a second run takes a fraction of a second. Two at once are safe: the later one waits, then finds the
# work done.
set -euo pipefail
cd "$(dirname "$0")/.."

tests=${1:-}

say() { echo "setup: $*" >&2; }
fail() {
  say "$@"
  exit 1
}

# --- System packages: "Debian package | what proves that it is there" (a command, or a path pattern) ---
packages=(
  'g++|g++'
  'cmake|cmake'
  'make|make'
  'libdnnl-dev|/usr/include/oneapi/dnnl/dnnl.hpp'
  'dataset-fashion-mnist|/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz' # what npm start works on
)
test_packages=(
  'doctest-dev|/usr/include/doctest/doctest.h'
  'clang-format-14|clang-format-14'
  'libonnx-testdata|/usr/lib/python3/dist-packages/onnx/backend/test/data/node'
)
test_all_packages=(
  'python3|python3' # node-gyp
  'python3-numpy|/usr/lib/python3/dist-packages/numpy' # what arrays and pictures are read as
  'python3-pil|/usr/lib/python3/dist-packages/PIL'
  'strace|strace'
  'clang-14|clang++-14'
  'libclang-rt-14-dev|/usr/lib/llvm-14/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a'
)
if [[ $(uname -m) == x86_64 ]]; then
  test_all_packages+=('g++-aarch64-linux-gnu|aarch64-linux-gnu-g++' 'qemu-user-static|qemu-aarch64-static')
fi

is_there() {
  case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}

install_system_packages() {
  local expected=("${packages[@]}") missing=() entry
  [[ $tests == --test* ]] && expected+=("${test_packages[@]}")
  [[ $tests == --test-all ]] && expected+=("${test_all_packages[@]}")
  for entry in "${expected[@]}"; do
    is_there "${entry#*|}" || missing+=("${entry%%|*}")
  done
  ((${#missing[@]})) || return 0

  local root=()
  if ((EUID != 0)); then
    # With a terminal sudo may ask for the password; without one only a password-free sudo is of use.
    if command -v sudo >/dev/null && { [[ -t 0 ]] || sudo -n true 2>/dev/null; }; then
      root=(sudo)
    else
      fail "missing: ${missing[*]}. Install as root: apt-get install -y --no-install-recommends ${missing[*]}"
    fi
  fi
  command -v apt-get >/dev/null ||
    fail "missing (names of Debian packages): ${missing[*]}. Install them with this system's package manager."
  say "installing ${missing[*]}"
  local apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=600)
  { "${apt[@]}" update && "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; } >&2 ||
    fail "could not install ${missing[*]}. By hand: sudo apt-get update && sudo apt-get install -y ${missing[*]}"
}

# --- Node modules: installed again when they are not those of package-lock.json ---
modules_match() {
  [[ -f node_modules/.package-lock.json ]] || return 1
  node --input-type=commonjs -e '
    const { readFileSync } = require("node:fs");
    const packages = (file) => JSON.parse(readFileSync(file, "utf8")).packages;
    const installed = packages("node_modules/.package-lock.json");
    const same = Object.entries(packages("package-lock.json")).every(([path, expected]) => {
      const found = installed[path];
      return path === "" || (found ? found.version === expected.version : expected.optional === true);
    });
    process.exit(same ? 0 : 1);'
}

install_node_modules() {
  modules_match && return 0
  [[ ! -L node_modules ]] || fail "node_modules is a link to modules other than those of package-lock.json: install there"
  say "npm ci"
  # No dependency needs its install script; onnxruntime-node's would fetch CUDA libraries.
  npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2
}

# --- Builds: done again when the hash of what goes in differs from the one recorded beside the output ---
hash_of() { find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum; }

build_native() {
  local stamp=build/.inputs inputs
  inputs="$(hash_of native bench/native CMakeLists.txt package-lock.json) ${CXX:-} ${CXXFLAGS:-}"
  [[ -f build/Release/faultline.node && -f $stamp && $(<"$stamp") == "$inputs" ]] && return 0
  say "building the native addon"
  rm -f "$stamp"
  command -v ccache >/dev/null && export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(nproc)} npm run --silent build:native >&2
  echo "$inputs" >"$stamp"
}

build_typescript() {
  local stamp=dist/.inputs inputs sources=() folder
  for folder in lib test bench; do [[ -d $folder ]] && sources+=("$folder"); done
  inputs=$(find "${sources[@]}" -name '*.ts' -print0 | LC_ALL=C sort -z |
    xargs -0 sha256sum tsconfig.json package-lock.json | sha256sum)
  [[ -f $stamp && $(<"$stamp") == "$inputs" ]] && return 0
  say "compiling the TypeScript"
  rm -rf dist # a test whose source is gone must not run on
  npm run --silent build:ts >&2
  echo "$inputs" >"$stamp"
}

command -v node >/dev/null || fail "node 20 or later is needed"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' ||
  fail "node: expected 20 or later, received $(node --version)"

exec 9<scripts/setup.sh # the lock is on this file: a failed build may remove build/
flock -n 9 || { say 'waiting for another setup to end' && flock 9; }
install_system_packages
install_node_modules
build_native
build_typescript
