// The error profile of a convolution: windows, groups and depthwise against the fp64 reference, and its invariances.
import assert from 'node:assert/strict';
import { ErrorProfile, type ErrorSummary, profileConv2d, profileMatmul } from '../../../lib/native/error_profile.js';
import { packWeights } from '../../../lib/native/packed_weights.js';
import {
  checkSummary,
  type Output,
  quantizeRow,
  type Row,
  randomArray,
  referenceOutput,
} from '../../support/profile_reference.js';

describe('profileConv2d', () => {
  interface Convolution {
    n: number;
    size: number;
    groups: number;
    groupChannels: number;
    groupOut: number;
    kernel: number;
    stride: number;
    dilation: number;
    pad: [number, number, number, number];
  }

  /** The windows of a convolution as rows, by output channel group: quantized as whole images, gathered afterwards. */
  function referenceConv(x: Float32Array, w: Float32Array, t: Convolution, bits: number, saturating: boolean) {
    const { n, size, groups, groupChannels, groupOut, kernel, stride, dilation, pad } = t;
    const c = groups * groupChannels;
    const k = kernel * kernel * groupChannels;
    const packed = packWeights(w, [groups * groupOut, k]);
    const codes = Array.from(packed.codes());
    const scales = packed.scales();
    packed.dispose();
    const span = dilation * (kernel - 1) + 1;
    const outH = Math.floor((size + pad[0] + pad[2] - span) / stride) + 1;
    const outW = Math.floor((size + pad[1] + pad[3] - span) / stride) + 1;
    const channels: Output[][] = Array.from({ length: groups * groupOut }, () => []);
    for (let image = 0; image < n; image++) {
      const all = quantizeRow(x.subarray(image * size * size * c, (image + 1) * size * size * c), bits, undefined);
      for (let pixel = 0; pixel < outH * outW; pixel++) {
        channels.forEach((outputs, oc) => {
          const row: Row = { ...all, x: [], q: [], rounding: [], clipping: [] };
          for (let i = 0; i < k; i++) {
            const kh = Math.floor(i / groupChannels / kernel);
            const kw = Math.floor(i / groupChannels) % kernel;
            const h = Math.floor(pixel / outW) * stride - pad[0] + kh * dilation;
            const wide = (pixel % outW) * stride - pad[1] + kw * dilation;
            const channel = Math.floor(oc / groupOut) * groupChannels + (i % groupChannels);
            const inside = h >= 0 && h < size && wide >= 0 && wide < size;
            const at = (h * size + wide) * c + channel;
            row.x.push(inside ? (all.x[at] as number) : 0);
            row.q.push(inside ? (all.q[at] as number) : all.zeroPoint);
            row.rounding.push(inside ? (all.rounding[at] as number) : 0);
            row.clipping.push(inside ? (all.clipping[at] as number) : 0);
          }
          const own = Array.from(w.subarray(oc * k, (oc + 1) * k));
          const ownCodes = codes.slice(oc * k, (oc + 1) * k);
          outputs.push(referenceOutput(row, own, ownCodes, scales[oc] as number, saturating));
        });
      }
    }
    return channels;
  }

  const cases: Convolution[] = [
    { n: 2, size: 7, groups: 1, groupChannels: 3, groupOut: 5, kernel: 3, stride: 1, dilation: 1, pad: [1, 1, 1, 1] },
    { n: 1, size: 9, groups: 1, groupChannels: 3, groupOut: 18, kernel: 5, stride: 2, dilation: 1, pad: [2, 0, 1, 3] },
    { n: 2, size: 8, groups: 1, groupChannels: 4, groupOut: 3, kernel: 3, stride: 1, dilation: 2, pad: [2, 2, 2, 2] },
    { n: 2, size: 5, groups: 3, groupChannels: 2, groupOut: 4, kernel: 3, stride: 1, dilation: 1, pad: [0, 0, 0, 0] },
    { n: 3, size: 4, groups: 1, groupChannels: 20, groupOut: 17, kernel: 1, stride: 1, dilation: 1, pad: [0, 0, 0, 0] },
    { n: 2, size: 6, groups: 19, groupChannels: 1, groupOut: 1, kernel: 3, stride: 1, dilation: 1, pad: [1, 1, 1, 1] },
    { n: 2, size: 6, groups: 5, groupChannels: 1, groupOut: 2, kernel: 3, stride: 2, dilation: 1, pad: [1, 0, 1, 0] },
  ];

  it('has the sums of the definition for windows, groups and depthwise', () => {
    for (const t of cases) {
      for (const arithmetic of ['exact', 'saturating16'] as const) {
        const c = t.groups * t.groupChannels;
        const shape = [t.groups * t.groupOut, t.kernel, t.kernel, t.groupChannels] as const;
        const x = randomArray(t.n * t.size * t.size * c, t.kernel * 10 + c);
        const w = randomArray(shape[0] * shape[1] * shape[2] * shape[3], c);
        const received = profileConv2d(x, [t.n, t.size, t.size, c], w, shape, {
          groups: t.groups,
          strides: [t.stride, t.stride],
          dilations: [t.dilation, t.dilation],
          padding: t.pad,
          activationBits: 6,
          arithmetic,
        });
        // A depthwise convolution does not saturate: its taps are multiplied one by one.
        const depthwise = t.groups > 1 && t.groupChannels === 1;
        const wanted = referenceConv(x, w, t, 6, arithmetic === 'saturating16' && !depthwise);
        checkSummary(received, wanted.flat());
        wanted.forEach((outputs, channel) => {
          checkSummary(received.channels[channel] as ErrorSummary, outputs);
        });
        assert.equal(received.outputs, (wanted[0] as Output[]).length);
        assert.equal(received.activations.elements, x.length);
        assert.equal(
          received.activations.histogram.reduce((a, b) => a + b),
          x.length,
        );
      }
    }
  });

  it('gives the same bits image by image as all at once', () => {
    for (const t of cases) {
      const c = t.groups * t.groupChannels;
      const shape = [t.groups * t.groupOut, t.kernel, t.kernel, t.groupChannels] as const;
      const images = 30;
      const each = t.size * t.size * c;
      const x = randomArray(images * each, c);
      const w = randomArray(shape[0] * shape[1] * shape[2] * shape[3], c + 1);
      const window = {
        strides: [t.stride, t.stride],
        dilations: [t.dilation, t.dilation],
        padding: t.pad,
      } as const;
      const all = profileConv2d(x, [images, t.size, t.size, c], w, shape, { ...window, groups: t.groups });
      const profile = new ErrorProfile(w, shape, {}, t.groups);
      for (let i = 0; i < images; i++) {
        profile.addImages(x.subarray(i * each, (i + 1) * each), [1, t.size, t.size, c], window);
      }
      assert.deepEqual(profile.read(), all);
      profile.dispose();
    }
  });

  it('sees a 1×1 convolution and the product of its pixels alike, but for the ranges', () => {
    const [n, size, c, oc] = [2, 5, 12, 7];
    const x = randomArray(n * size * size * c, 1);
    const w = randomArray(oc * c, 2);
    const options = { range: [-1, 1] } as const;
    const { activations, ...conv } = profileConv2d(x, [n, size, size, c], w, [oc, 1, 1, c], options);
    const { activations: rows, ...matmul } = profileMatmul(x, w, [oc, c], options);
    assert.deepEqual(conv, matmul);
    assert.deepEqual(activations.histogram, rows.histogram);
  });
});
