// MaxPool: the largest element of each window, and where it was (optional, an index into the flattened input).
import { maxPool2d } from '../../autograd/ops/pool2d.js';
import { sizeOf } from '../../core/shape.js';
import { type HostTensor, zeros } from '../../tensor/host_tensor.js';
import { defineOperator, int, none, required } from '../operator.js';
import { eachChannel } from './channels.js';
import {
  elementsInside,
  floatPool,
  POOL_ATTRIBUTES,
  poolShape,
  poolWindow,
  threeAxes,
  windowDetail,
} from './window.js';

export const MaxPool = defineOperator({
  name: 'MaxPool',
  attributes: { ...POOL_ATTRIBUTES, storage_order: int(0) },
  inputs: [1, 1],
  outputs: [1, 2],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'upgrades'),
  detail: ({ kernel_shape: kernel, strides }) => windowDetail(kernel, strides),
  device: { kind: 'pool', pool: () => 'largest', window: poolWindow },
  unfoldable: 'costly',
  samples: 'alone',
  channels: eachChannel,
  shape: (call) => {
    const { dtype, dims } = poolShape(call);
    if (dtype === 'string' || dtype === 'int64') call.fail(`expected numbers of at most 32 bits, received ${dtype}`);
    return [
      { dtype, dims },
      { dtype: 'int64', dims },
    ];
  },
  float: (call) => floatPool(call, (image, window) => maxPool2d(call.tape, image, window)),
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = input.data as Float32Array;
    const { dtype, dims } = required(call.outputs, 0);
    const output = zeros(dtype, dims);
    const indices = zeros('int64', dims);
    const y = output.data as Float32Array;
    const [d, h, w] = threeAxes(call.attributes, input.dims.slice(2), call.attributes.kernel_shape ?? [], call.fail);
    const inSize = d.input * h.input * w.input;
    const planes = sizeOf(input.dims.slice(0, 2));
    let at = 0;
    for (let plane = 0; plane < planes; plane++) {
      for (let od = 0; od < d.output; od++) {
        const [dFirst, dEnd] = elementsInside(d, od);
        for (let oh = 0; oh < h.output; oh++) {
          const [hFirst, hEnd] = elementsInside(h, oh);
          for (let ow = 0; ow < w.output; ow++, at++) {
            const [wFirst, wEnd] = elementsInside(w, ow);
            let largest = Number.NEGATIVE_INFINITY;
            let where = -1;
            for (let kd = dFirst; kd < dEnd; kd++) {
              const id = od * d.stride - d.padBegin + kd * d.dilation;
              for (let kh = hFirst; kh < hEnd; kh++) {
                const ih = oh * h.stride - h.padBegin + kh * h.dilation;
                for (let kw = wFirst; kw < wEnd; kw++) {
                  const iw = ow * w.stride - w.padBegin + kw * w.dilation;
                  const value = x[plane * inSize + (id * h.input + ih) * w.input + iw] as number;
                  if (where < 0 || value > largest || Number.isNaN(value)) {
                    largest = value;
                    // storage_order 1 counts column by column, first spatial axis fastest
                    where = call.attributes.storage_order
                      ? (iw * h.input + ih) * d.input + id
                      : (id * h.input + ih) * w.input + iw;
                  }
                }
              }
            }
            y[at] = largest;
            (indices.data as BigInt64Array)[at] = BigInt(plane * inSize + Math.max(where, 0));
          }
        }
      }
    }
    return [output, indices] as HostTensor[];
  },
});
