#!/usr/bin/env bash
# Builds the addon with node-gyp as well, and checks that it computes what the default build computes.
# node-gyp always writes to ./build, which is cmake-js's here: it runs in build-gyp/, on links to what it needs.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p build-gyp
for name in binding.gyp native node_modules package.json scripts dist; do ln -sfn "../$name" "build-gyp/$name"; done

options=()
prefix=$(node -p 'require("path").resolve(process.execPath, "../..")')
# Headers installed beside node spare a download.
[[ -f $prefix/include/node/node_api.h ]] && options+=("--nodedir=$prefix")
node_modules/.bin/node-gyp configure build -C build-gyp --loglevel=warn --jobs="$(nproc)" "${options[@]}"

# Seen through its links, build-gyp/ is a package whose addon is gyp's.
read -r cmake_hash cmake_addon < <(node scripts/smoke.mjs)
read -r gyp_hash gyp_addon < <(node --preserve-symlinks --preserve-symlinks-main build-gyp/scripts/smoke.mjs)
echo "cmake-js: $cmake_hash $cmake_addon"
echo "node-gyp: $gyp_hash $gyp_addon"
[[ $gyp_addon == "$PWD/build-gyp/build/Release/faultline.node" ]] || { echo "another addon was loaded"; exit 1; }
[[ $gyp_hash == "$cmake_hash" ]] || { echo "the two builds compute different results"; exit 1; }
