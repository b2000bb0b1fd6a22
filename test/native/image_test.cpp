// Corruptions: the random numbers' known answers, and every operation on awkward sizes under the sanitizers.
#include <doctest/doctest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "core/parallel.h"
#include "image/corrupt.h"
#include "image/numeric.h"
#include "image/random.h"
#include "random.h"

using namespace faultline;

TEST_CASE("Philox gives the known answers of its authors") {
  // Random123, kat_vectors: philox4x32, 10 rounds.
  using Words = std::array<uint32_t, 4>;
  CHECK(image::philox({0, 0}, {0, 0, 0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(image::philox({~0u, ~0u}, {~0u, ~0u, ~0u, ~0u}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(image::philox({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}) ==
        Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("a stream's numbers do not depend on how many are asked for, and purposes differ") {
  const image::Stream stream = image::streamOf(5, 1, "image", 5);
  std::vector<float> few(image::kRandomBlock), many(4 * image::kRandomBlock), other(image::kRandomBlock);
  stream.uniforms(0, 3, few.data());
  stream.uniforms(0, 4 * image::kRandomBlock, many.data());
  stream.uniforms(1, 3, other.data());
  CHECK(std::equal(few.begin(), few.end(), many.begin()));
  CHECK(few != other);
  for (const float value : many) CHECK((value > 0 && value < 1));
}

TEST_CASE("logarithm, sine and cosine are right to float32's precision") {
  constexpr double kUlp = 0x1p-23;
  test::Random random(3);
  for (int i = 0; i < 10000; ++i) {
    const auto word = static_cast<uint32_t>(random.next());
    const float x = (static_cast<float>(word) + .5f) * 0x1p-32f;
    const double ln = std::log(static_cast<double>(x));
    CHECK(std::abs(image::logarithm(x) - ln) <= 2 * kUlp * std::max(1e-3, std::abs(ln)));
    const double angle = 2 * M_PI * word / 4294967296.0;
    const image::SineCosine value = image::sineCosine(word);
    CHECK(std::abs(value.sine - std::sin(angle)) <= 2 * kUlp);
    CHECK(std::abs(value.cosine - std::cos(angle)) <= 2 * kUlp);
  }
}

TEST_CASE("every corruption of every size stays in its memory, whatever the threads") {
  // Constants of severity 3 of ImageNet-C, in the order of the list.
  const std::vector<std::vector<double>> constants = {{.18},
                                                      {12},
                                                      {.09},
                                                      {6, .5},
                                                      {1, 2, 3},
                                                      {15, 8},
                                                      {1.21, .02},
                                                      {.55, .3, 4, .9, 12, 8, .7},
                                                      {.7, .7, 1},
                                                      {2.5, 1.7},
                                                      {.3},
                                                      {.2},
                                                      {.05, .2, .06},
                                                      {.4},
                                                      {15},
                                                      {.35},
                                                      {3},
                                                      {.65, .3, 1, .69, .5, 0},
                                                      {2, .1},
                                                      {15},
                                                      {.15},
                                                      {.2},
                                                      {.2},
                                                      {2, -.5, .5, .25},
                                                      {.15}};
  test::Random random(11);
  for (const image::Size size : {image::Size{8, 8, 1}, {9, 31, 3}, {8, 64, 1}, {64, 8, 3}, {33, 17, 3}}) {
    const int64_t images = 3;
    std::vector<uint8_t> x(static_cast<size_t>(images * size.values())), alone(x.size()), shared(x.size());
    for (uint8_t& value : x) value = static_cast<uint8_t>(random.next());
    for (size_t kind = 0; kind < constants.size(); ++kind) {
      image::CorruptArgs args{static_cast<image::CorruptionKind>(kind),
                              constants[kind].data(),
                              static_cast<int64_t>(constants[kind].size()),
                              images,
                              size,
                              7,
                              x.data(),
                              alone.data()};
      setThreads(1);
      CHECK(image::corrupt(args));
      setThreads(3);
      args.y = shared.data();
      CHECK(image::corrupt(args));
      setThreads(0);
      CHECK_MESSAGE(alone == shared, kind);
    }
  }
}

TEST_CASE("constants outside their limits are refused by name") {
  const std::vector<uint8_t> x(64);
  std::vector<uint8_t> y(64);
  const auto refusal = [&](int kind, std::vector<double> constants, image::Size size) {
    const auto count = static_cast<int64_t>(constants.size());
    const auto code = static_cast<image::CorruptionKind>(kind);
    return image::corrupt({code, constants.data(), count, 1, size, 0, x.data(), y.data()}).message();
  };
  CHECK(refusal(0, {}, {8, 8, 1}) == "gaussian_noise: constants: expected 1, received 0");
  CHECK(refusal(2, {std::nan("")}, {8, 8, 1}).find("impulse_noise: constant 0: expected 0") == 0);
  CHECK(refusal(99, {1}, {8, 8, 1}).find("corrupt: kind") == 0);
  CHECK(refusal(0, {1}, {8, 8, 2}).find("corrupt: size: expected sides from 8") == 0);
}
