# node-gyp's build of the addon (`npm run build:gyp`; the default build is CMakeLists.txt). Sources, flags and libraries
# come from native/sources.json. gyp has no per-file flags, so each instruction set is a static library of its own.
{
  "target_defaults": {
    "defines": ["NAPI_VERSION=8", "NDEBUG"],
    "include_dirs": ["native"],
    # What Node's own settings add and this code does without.
    "cflags!": ["-O2", "-O3"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti", "-fno-exceptions"],
    "cflags_cc": ["<!@(node -p \"require('./native/sources.json').flags.join(' ')\")"],
    "ldflags": ["<!@(node -p \"require('./native/sources.json').hardening.link.join(' ')\")"],
  },
  "targets": [
    {
      "target_name": "faultline",
      "sources": ["<!@(node -p \"const s = require('./native/sources.json'); s.common.concat(s.float, s.binding).join(' ')\")"],
      "cflags_cc": [
        "<!@(node -p \"require('./native/sources.json').hardening.flags.join(' ')\")",
        "-isystem <(module_root_dir)/node_modules/node-addon-api",
      ],
      "libraries": ["<!@(node -p \"(s => s.libraries.concat(s.floatLibraries))(require('./native/sources.json')).map((l) => '-l' + l).join(' ')\")"],
      "dependencies": ["faultline_scalar"],
      "conditions": [
        ["target_arch=='x64'", {"dependencies": ["faultline_avx2", "faultline_avx512vnni", "faultline_amx_int8"]}],
        ["target_arch=='arm64'", {"dependencies": ["faultline_neon_dotprod", "faultline_neon_i8mm"]}],
      ],
    },
    {
      "target_name": "faultline_scalar",
      "type": "static_library",
      "sources": ["<!@(node -p \"require('./native/sources.json').isa.scalar.sources.join(' ')\")"],
      "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.scalar.flags.join(' ')\")"],
    },
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "faultline_avx2",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').isa.avx2.sources.join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.avx2.flags.join(' ')\")"],
        },
        {
          "target_name": "faultline_avx512vnni",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').isa.avx512vnni.sources.join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.avx512vnni.flags.join(' ')\")"],
        },
        {
          "target_name": "faultline_amx_int8",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').isa.amx_int8.sources.join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.amx_int8.flags.join(' ')\")"],
        },
      ],
    }],
    ["target_arch=='arm64'", {
      "targets": [
        {
          "target_name": "faultline_neon_dotprod",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').isa.neon_dotprod.sources.join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.neon_dotprod.flags.join(' ')\")"],
        },
        {
          "target_name": "faultline_neon_i8mm",
          "type": "static_library",
          "sources": ["<!@(node -p \"require('./native/sources.json').isa.neon_i8mm.sources.join(' ')\")"],
          "cflags_cc": ["<!@(node -p \"require('./native/sources.json').isa.neon_i8mm.flags.join(' ')\")"],
        },
      ],
    }],
  ],
}
