// oneDNN's engine and stream, one of each a thread, and memory objects over faultline's arrays.
//
// Everything in this folder throws dnnl::error; binding/ turns that into a JavaScript error.
#pragma once

#include <memory>

#include "dnn/compat.h"

namespace faultline::dnn {

const dnnl::engine& engine();
dnnl::stream& stream();

// Makes oneDNN use threads() threads: it asks OpenMP when a primitive is made and again when it runs.
// Returns that count: primitives are kept for one count.
int useThreads();

// A memory object over `data`, which oneDNN writes to only where the primitive says so.
inline dnnl::memory over(const Desc& desc, const void* data) {
  return dnnl::memory(desc, engine(), const_cast<void*>(data));
}

// Copies between layouts and types; the primitive is made once per pair.
class Reorder {
 public:
  Reorder() = default;
  Reorder(const Desc& from, const Desc& to);
  void run(dnnl::memory& from, dnnl::memory& to) const;

 private:
  dnnl::reorder primitive_;
};

// Where a converted copy lies. `kept` has separate memory and lasts; the others are two memories that all primitives
// of a thread share, each until the next conversion into it, so that a network needs memory for its largest tensors
// only.
enum class Place { kept, first, second };

// The same values in the layout and type that a primitive needs: the caller's array where that fits already.
class Converted {
 public:
  Converted() = default;
  Converted(const Desc& given, const Desc& expected, Place place);
  // The memory to hand to the primitive. A version other than the last one (or 0) converts again; only `kept` has one.
  dnnl::memory& read(const float* data, double version);
  const Desc& expected() const { return wanted_; }
  // The result of read(), as long as its memory was not used since.
  dnnl::memory& again() { return same_ ? outside_ : inside_; }
  // For results: the memory that the primitive writes; then store() brings it to the caller's array.
  dnnl::memory& target(float* data);
  void store();

 private:
  void prepare();

  Desc given_, wanted_;
  Place place_ = Place::kept;
  bool same_ = true;
  dnnl::memory outside_, inside_;
  Reorder in_, out_;
  double version_ = 0;
};

}  // namespace faultline::dnn
