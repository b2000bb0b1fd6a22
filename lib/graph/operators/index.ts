// Every operator we know, by its ONNX name.
import type { Operator } from '../operator.js';
import { add } from './add.js';
import { averagePool } from './average_pool.js';
import { batchNormalization } from './batch_normalization.js';
import { clip } from './clip.js';
import { concat } from './concat.js';
import { constant } from './constant.js';
import { conv } from './conv.js';
import { div } from './div.js';
import { dropout } from './dropout.js';
import { flatten } from './flatten.js';
import { gather } from './gather.js';
import { gelu } from './gelu.js';
import { gemm } from './gemm.js';
import { globalAveragePool } from './global_average_pool.js';
import { hardSigmoid } from './hard_sigmoid.js';
import { hardSwish } from './hard_swish.js';
import { identity } from './identity.js';
import { layerNormalization } from './layer_normalization.js';
import { matmul } from './matmul.js';
import { maxPool } from './max_pool.js';
import { mul } from './mul.js';
import { pad } from './pad.js';
import { reduceMean } from './reduce_mean.js';
import { relu } from './relu.js';
import { reshape } from './reshape.js';
import { sigmoid } from './sigmoid.js';
import { softmax } from './softmax.js';
import { sub } from './sub.js';
import { transpose } from './transpose.js';

export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  [
    add,
    averagePool,
    batchNormalization,
    clip,
    concat,
    constant,
    conv,
    div,
    dropout,
    flatten,
    gather,
    gelu,
    gemm,
    globalAveragePool,
    hardSigmoid,
    hardSwish,
    identity,
    layerNormalization,
    matmul,
    maxPool,
    mul,
    pad,
    reduceMean,
    relu,
    reshape,
    sigmoid,
    softmax,
    sub,
    transpose,
  ].map((operator) => [operator.name, operator]),
);
