// AveragePool: the mean of each window, over the elements inside the input, or also those in its padding.
import { averagePool2d } from '../../autograd/ops/pool2d.js';
import { sizeOf } from '../../core/shape.js';
import type { WindowAxis } from '../../native/geometry.js';
import { defineOperator, floatData, floatOutput, int, none, required } from '../operator.js';
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

export const AveragePool = defineOperator({
  name: 'AveragePool',
  attributes: { ...POOL_ATTRIBUTES, count_include_pad: int(0) },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'upgrades'),
  detail: ({ kernel_shape: kernel, strides }) => windowDetail(kernel, strides),
  device: {
    kind: 'pool',
    pool: ({ count_include_pad: padding }) => (padding ? 'meanWithPadding' : 'mean'),
    window: poolWindow,
  },
  unfoldable: 'costly',
  samples: 'alone',
  channels: eachChannel,
  spans: { dilations: { since: 19 } },
  shape: (call) => [poolShape(call)],
  float: (call) => {
    const countPadding = call.attributes.count_include_pad !== 0;
    return floatPool(call, (image, window) => averagePool2d(call.tape, image, window, countPadding));
  },
  forward: (call) => {
    const input = required(call.inputs, 0);
    const x = floatData(input, call.fail);
    const output = floatOutput(required(call.outputs, 0));
    const { kernel_shape: kernel, count_include_pad: includePad } = call.attributes;
    const [d, h, w] = threeAxes(call.attributes, input.dims.slice(2), kernel ?? [], call.fail);
    const planes = sizeOf(input.dims.slice(0, 2));
    let at = 0;
    for (let plane = 0; plane < planes; plane++) {
      const start = plane * d.input * h.input * w.input;
      for (let od = 0; od < d.output; od++) {
        for (let oh = 0; oh < h.output; oh++) {
          for (let ow = 0; ow < w.output; ow++, at++) {
            let sum = 0;
            for (const id of elements(d, od)) {
              for (const ih of elements(h, oh)) {
                for (const iw of elements(w, ow)) sum += x[start + (id * h.input + ih) * w.input + iw] as number;
              }
            }
            output.data[at] = sum / (count(d, od, includePad) * count(h, oh, includePad) * count(w, ow, includePad));
          }
        }
      }
    }
    return [output];
  },
});

/** Input coordinates that output `o` averages along an axis. */
function elements(axis: WindowAxis, o: number): number[] {
  const [first, end] = elementsInside(axis, o);
  return Array.from({ length: end - first }, (_, k) => o * axis.stride - axis.padBegin + (first + k) * axis.dilation);
}

/** How many count: with `includePad` those in the padding too, but none beyond it (ceil_mode reaches there). */
function count(axis: WindowAxis, o: number, includePad: number): number {
  const [first, end] = elementsInside(axis, o);
  if (!includePad) return end - first;
  const start = o * axis.stride - axis.padBegin;
  return Math.min(axis.kernel, Math.ceil((axis.input + axis.padEnd - start) / axis.dilation));
}
