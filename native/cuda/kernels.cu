// The kernels as CUDA entry points, and the queue that launches them on a stream.
#include "cuda/stream.h"

namespace faultline::cuda {

template void matmulDynamic<StreamQueue>(StreamQueue&, const MatmulCall&, const Workspace&);
template void conv2dDynamic<StreamQueue>(StreamQueue&, const ConvCall&, const Workspace&);

}  // namespace faultline::cuda
