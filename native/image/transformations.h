// Transformations of images of bytes; see transformations.cpp for what each strength means.
#pragma once

#include <memory>

#include "image/corruption.h"

namespace faultline::image {

enum class Movement { rotation, translation, scaling, shear };

std::unique_ptr<Corruption> makeMovement(Size size, Movement movement, double strength);
// c: factor and shift (of white) of one half of the images, then of the other.
std::unique_ptr<Corruption> makeLinear(Size size, Constants c);
std::unique_ptr<Corruption> makeOcclusion(Size size, Constants c);  // share of the image

}  // namespace faultline::image
