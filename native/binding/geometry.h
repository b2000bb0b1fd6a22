// Geometry from JavaScript, as lib/native/geometry.ts writes it.
#pragma once

#include <algorithm>
#include <string>

#include "abi/codes.h"
#include "binding/args.h"
#include "core/geometry.h"
#include "quant/packed_conv.h"

namespace faultline::binding {

// Argument i, an Int32Array of GeometryField up to `end`; what follows keeps its default.
inline Geometry readGeometry(const Args& args, size_t i, GeometryField end) {
  const auto count = static_cast<size_t>(end);
  int32_t field[static_cast<size_t>(GeometryField::count)] = {};
  std::copy_n(args.array<const int32_t>(i, "geometry", count).data, count, field);
  const auto at = [&](GeometryField which) { return int64_t{field[static_cast<size_t>(which)]}; };
  using Field = GeometryField;
  Geometry g;
  g.n = at(Field::n);
  g.h = at(Field::h);
  g.w = at(Field::w);
  g.c = at(Field::c);
  g.strideH = at(Field::strideH);
  g.strideW = at(Field::strideW);
  g.dilationH = at(Field::dilationH);
  g.dilationW = at(Field::dilationW);
  g.padTop = at(Field::padTop);
  g.padLeft = at(Field::padLeft);
  g.padBottom = at(Field::padBottom);
  g.padRight = at(Field::padRight);
  if (end <= Field::kernelH) return g;
  g.kernelH = at(Field::kernelH);
  g.kernelW = at(Field::kernelW);
  g.outChannels = at(Field::outChannels);
  g.groups = at(Field::groups);
  g.outH = at(Field::outH);
  g.outW = at(Field::outW);
  return g;
}

// Arguments i to i + 4: outChannels, kernelH, kernelW, groupChannels, groups. Refuses more than `maxWeights`.
inline ConvWeightShape readWeightShape(const Args& args, size_t i, int64_t maxChannels, int64_t maxWeights) {
  constexpr int64_t kMaxSize = int64_t{1} << 31;
  ConvWeightShape s;
  s.outChannels = args.integer(i, "outChannels", 1, maxChannels);
  s.kernelH = args.integer(i + 1, "kernelH", 1, kMaxSize);
  s.kernelW = args.integer(i + 2, "kernelW", 1, kMaxSize);
  s.groupChannels = args.integer(i + 3, "groupChannels", 1, kMaxSize);
  s.groups = args.integer(i + 4, "groups", 1, s.outChannels);
  if (s.outChannels % s.groups != 0) {
    args.refuse("groups", "a divisor of the " + std::to_string(s.outChannels) + " output channels",
                std::to_string(s.groups));
  }
  const double weights = static_cast<double>(s.outChannels) * static_cast<double>(s.kernelH) *
                         static_cast<double>(s.kernelW) * static_cast<double>(s.groupChannels);
  if (weights > static_cast<double>(maxWeights)) {
    args.refuse("shape", "at most " + std::to_string(maxWeights) + " weights", std::to_string(weights));
  }
  return s;
}

}  // namespace faultline::binding
