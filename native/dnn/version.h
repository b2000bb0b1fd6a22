// Which oneDNN runs.
#pragma once

#include <string>

namespace faultline::dnn {

// Of the library that is loaded: "3.7.2".
std::string version();

}  // namespace faultline::dnn
