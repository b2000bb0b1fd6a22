// Stands in for onednn_impl.cpp where oneDNN was not found when the program was built.
#include "implementations.h"

namespace faultline::bench {

std::string onednnVersion() { return ""; }
std::string onednnIsa() { return ""; }
void addOnednn(const Problem&, int, std::vector<Candidate>*, Notes*) {}

}  // namespace faultline::bench
