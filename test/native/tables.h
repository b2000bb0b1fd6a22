// The kernel tables that this machine can run.
#pragma once

#include <string>
#include <vector>

#include "dispatch/dispatch.h"

namespace faultline::test {

inline std::vector<const KernelTable*> tables() {
  std::vector<const KernelTable*> all;
  for (int i = 0; i < kIsaCount; ++i) {
    if (const KernelTable* table = kernelsFor(static_cast<Isa>(i))) all.push_back(table);
  }
  return all;
}

inline std::string name(const KernelTable* table) { return std::string(isaName(table->isa)); }

}  // namespace faultline::test
