#include "dnn/engine.h"

#include <omp.h>

#include "dnn/slices.h"
#include "dnn/version.h"

namespace faultline::dnn {

std::string version() {
  const dnnl_version_t& v = *dnnl_version();
  return std::to_string(v.major) + "." + std::to_string(v.minor) + "." + std::to_string(v.patch);
}

const dnnl::engine& engine() {
  static const dnnl::engine cpu(dnnl::engine::kind::cpu, 0);
  return cpu;
}

dnnl::stream& stream() {
  thread_local dnnl::stream ours(engine());
  return ours;
}

int useThreads() {
  const int count = threads();
  if (omp_get_max_threads() != count) omp_set_num_threads(count);
  return count;
}

void addSlices(int64_t slices, int64_t size, const float* parts, float* sum) {
  constexpr int64_t kPiece = 4096;
  overSlices(ceilDiv(size, kPiece), [&](int64_t piece) {
    const int64_t begin = piece * kPiece, end = std::min(size, begin + kPiece);
    for (int64_t s = 0; s < slices; ++s) {
      for (int64_t i = begin; i < end; ++i) sum[i] += parts[s * size + i];
    }
  });
}

Reorder::Reorder(const Desc& from, const Desc& to)
    : primitive_(dnnl::reorder::primitive_desc(engine(), from, engine(), to)) {}

void Reorder::run(dnnl::memory& from, dnnl::memory& to) const {
  primitive_.execute(stream(), {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}});
}

Converted::Converted(const Desc& given, const Desc& expected, Place place)
    : given_(given), wanted_(expected), place_(place), same_(given == expected), outside_(given, engine(), nullptr) {
  if (same_) return;
  in_ = Reorder(given, expected);
  out_ = Reorder(expected, given);
}

// Memory for the converted copy.
void Converted::prepare() {
  if (place_ == Place::kept) {
    if (!inside_) inside_ = dnnl::memory(wanted_, engine());
    return;
  }
  struct First;
  struct Second;
  const size_t bytes = wanted_.get_size();
  char* memory = place_ == Place::first ? scratch<First, char>(bytes) : scratch<Second, char>(bytes);
  if (inside_) {
    inside_.set_data_handle(memory);
  } else {
    inside_ = over(wanted_, memory);
  }
}

dnnl::memory& Converted::read(const float* data, double version) {
  outside_.set_data_handle(const_cast<float*>(data));
  if (same_) return outside_;
  prepare();
  if (version == 0 || version != version_) in_.run(outside_, inside_);
  version_ = version;
  return inside_;
}

dnnl::memory& Converted::target(float* data) {
  outside_.set_data_handle(data);
  if (same_) return outside_;
  prepare();
  return inside_;
}

void Converted::store() {
  if (!same_) out_.run(inside_, outside_);
}

}  // namespace faultline::dnn
