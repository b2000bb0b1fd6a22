// The implementations that compete. Each function adds the candidates it has for a problem; what it cannot compute it
// leaves out, and what should have worked but did not it says in `notes`.
#pragma once

#include <string>
#include <vector>

#include "measure.h"
#include "problem.h"

namespace faultline::bench {

using Notes = std::vector<std::string>;

void addFaultline(const Problem& problem, int threads, std::vector<Candidate>* out, Notes* notes);

// oneDNN, when the program was built with it.
std::string onednnVersion();  // "" without it
std::string onednnIsa();
void addOnednn(const Problem& problem, int threads, std::vector<Candidate>* out, Notes* notes);

// ONNX Runtime, when `library` (a libonnxruntime.so) can be opened. Returns why not, or "".
std::string openOnnxRuntime(const std::string& library);
std::string onnxRuntimeVersion();  // "" before it was opened
void addOnnxRuntime(const Problem& problem, int threads, std::vector<Candidate>* out, Notes* notes);

}  // namespace faultline::bench
