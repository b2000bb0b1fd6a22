// The quantization cells of a network's weights under a policy: how wide a code is in each output channel, and which code
// each weight has. Weights quantize symmetrically with a scale for each output channel (largest |w| / (2^(b−1) − 1)).

import { perChannel, perTensor } from '../format/granularity.js';
import type { Graph } from '../graph/graph.js';
import { channelStride, type ProductView, productView } from '../graph/product.js';
import { chooseQParams, quantize } from '../native/quantize.js';
import type { Policy } from '../policy/policy.js';
import type { HostTensor } from '../tensor/host_tensor.js';

/** One weight, its cells, and its bias. */
interface WeightCells {
  readonly node: string;
  readonly weight: string;
  /** Undefined where the node has none with one number for each of its channels. */
  readonly bias: string | undefined;
  readonly data: Float32Array;
  /** Output channel of element i: floor(i / stride) % widths.length. */
  readonly stride: number;
  /** Real width of a code, [channels]. */
  readonly widths: Float32Array;
  /** [weights] */
  readonly codes: Int8Array;
  /** Largest code, 2^(b−1) − 1. */
  readonly most: number;
}

/** Cells of every node that the policy quantizes. `graph` has its batch norms folded. */
export function weightCells(graph: Graph, policy: Policy): WeightCells[] {
  return [...policy.schemes].map(([name, { weights }]) => {
    const { bits } = weights.format;
    const node = graph.node(name);
    const product = productView(graph, node) as ProductView;
    const { weight, addend, channels, outAxis } = product;
    const { dims, data } = graph.initializers.get(weight) as HostTensor<'float32'>;
    const params = chooseQParams(data, dims, {
      granularity: outAxis === undefined ? perTensor : perChannel(outAxis),
      bits,
      symmetric: true,
      signed: true,
    });
    const codes = quantize(data, dims, params) as Int8Array;
    const bias = graph.initializers.get(addend ?? '');
    return {
      node: name,
      weight,
      bias: bias?.dtype === 'float32' && bias.data.length === channels ? addend : undefined,
      data,
      stride: channelStride(product),
      widths: params.scale,
      codes,
      most: 2 ** (bits - 1) - 1,
    };
  });
}
