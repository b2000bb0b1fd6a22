// Every operator we know, by its ONNX name.
import type { Operator } from '../operator.js';
import { abs } from './abs.js';
import { add } from './add.js';
import { and } from './and.js';
import { argMax } from './arg_max.js';
import { argMin } from './arg_min.js';
import { averagePool } from './average_pool.js';
import { batchNormalization } from './batch_normalization.js';
import { cast } from './cast.js';
import { ceil } from './ceil.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { constant } from './constant.js';
import { constantOfShape } from './constant_of_shape.js';
import { conv } from './conv.js';
import { convTranspose } from './conv_transpose.js';
import { cos } from './cos.js';
import { depthToSpace } from './depth_to_space.js';
import { div } from './div.js';
import { dropout } from './dropout.js';
import { elu } from './elu.js';
import { equal } from './equal.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { flatten } from './flatten.js';
import { floor } from './floor.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { gemm } from './gemm.js';
import { globalAveragePool, globalMaxPool } from './global_pool.js';
import { greater } from './greater.js';
import { greaterOrEqual } from './greater_or_equal.js';
import { hardSigmoid } from './hard_sigmoid.js';
import { hardSwish } from './hard_swish.js';
import { identity } from './identity.js';
import { instanceNormalization } from './instance_normalization.js';
import { layerNormalization } from './layer_normalization.js';
import { leakyRelu } from './leaky_relu.js';
import { less } from './less.js';
import { lessOrEqual } from './less_or_equal.js';
import { log } from './log.js';
import { logSoftmax } from './log_softmax.js';
import { lrn } from './lrn.js';
import { matmul } from './matmul.js';
import { max } from './max.js';
import { maxPool } from './max_pool.js';
import { min } from './min.js';
import { mish } from './mish.js';
import { mod } from './mod.js';
import { mul } from './mul.js';
import { neg } from './neg.js';
import { not } from './not.js';
import { or } from './or.js';
import { pad } from './pad.js';
import { pow } from './pow.js';
import { prelu } from './prelu.js';
import { range } from './range.js';
import { reciprocal } from './reciprocal.js';
import { reduceL1 } from './reduce_l1.js';
import { reduceL2 } from './reduce_l2.js';
import { reduceMax } from './reduce_max.js';
import { reduceMean } from './reduce_mean.js';
import { reduceMin } from './reduce_min.js';
import { reduceProd } from './reduce_prod.js';
import { reduceSum } from './reduce_sum.js';
import { reduceSumSquare } from './reduce_sum_square.js';
import { relu } from './relu.js';
import { reshape } from './reshape.js';
import { resize } from './resize.js';
import { round } from './round.js';
import { scatterNd } from './scatter_nd.js';
import { shape } from './shape.js';
import { sigmoid } from './sigmoid.js';
import { sign } from './sign.js';
import { sin } from './sin.js';
import { size } from './size.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { softsign } from './softsign.js';
import { spaceToDepth } from './space_to_depth.js';
import { split } from './split.js';
import { sqrt } from './sqrt.js';
import { squeeze } from './squeeze.js';
import { sub } from './sub.js';
import { sum } from './sum.js';
import { tanh } from './tanh.js';
import { tile } from './tile.js';
import { transpose } from './transpose.js';
import { trilu } from './trilu.js';
import { unsqueeze } from './unsqueeze.js';
import { where } from './where.js';
import { xor } from './xor.js';

export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    abs,
    add,
    and,
    argMax,
    argMin,
    averagePool,
    batchNormalization,
    cast,
    ceil,
    clip,
    concat,
    constant,
    constantOfShape,
    conv,
    convTranspose,
    cos,
    depthToSpace,
    div,
    dropout,
    elu,
    equal,
    erf,
    exp,
    expand,
    flatten,
    floor,
    gather,
    gelu,
    gemm,
    globalAveragePool,
    globalMaxPool,
    greater,
    greaterOrEqual,
    hardSigmoid,
    hardSwish,
    identity,
    instanceNormalization,
    layerNormalization,
    leakyRelu,
    less,
    lessOrEqual,
    log,
    logSoftmax,
    lrn,
    matmul,
    max,
    maxPool,
    min,
    mish,
    mod,
    mul,
    neg,
    not,
    or,
    pad,
    pow,
    prelu,
    range,
    reciprocal,
    reduceL1,
    reduceL2,
    reduceMax,
    reduceMean,
    reduceMin,
    reduceProd,
    reduceSum,
    reduceSumSquare,
    relu,
    reshape,
    resize,
    round,
    scatterNd,
    shape,
    sigmoid,
    sign,
    sin,
    size,
    slice,
    softmax,
    softplus,
    softsign,
    spaceToDepth,
    split,
    sqrt,
    squeeze,
    sub,
    sum,
    tanh,
    tile,
    transpose,
    trilu,
    unsqueeze,
    where,
    xor,
  ].map((operator) => [operator.name, operator]),
);
