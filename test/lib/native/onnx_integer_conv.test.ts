// convInteger and qLinearConv against their definitions, where ONNX Runtime has no kernel to compare with
// (test/conformance).
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { sizeOf } from '../../../lib/core/shape.js';
import type { ConvAttributes } from '../../../lib/native/onnx_conv_geometry.js';
import { convInteger, qLinearConv } from '../../../lib/native/onnx_integer.js';
import { packW } from '../../../lib/native/onnx_operand.js';
import { onnxTensor } from '../../../lib/native/onnx_tensor.js';
import { setThreads } from '../../../lib/native/threads.js';
import { Random } from '../../../lib/tensor/random.js';
import { at, BYTE_TYPES, bytes, PAIRS, referenceConv, requantized } from '../../support/integer_reference.js';

describe('convInteger and qLinearConv', () => {
  const cases = fc
    .record({
      pair: fc.constantFrom(...PAIRS),
      group: fc.integer({ min: 1, max: 4 }),
      groupIn: fc.integer({ min: 1, max: 20 }),
      groupOut: fc.integer({ min: 1, max: 20 }),
      kernel: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 4 })),
      strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      dilations: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
      pads: fc.tuple(
        ...([0, 1, 2, 3].map(() => fc.integer({ min: 0, max: 12 })) as [
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
          fc.Arbitrary<number>,
        ]),
      ),
      extra: fc.tuple(fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 })),
      seed: fc.nat(),
    })
    .map((c) => {
      const random = new Random(c.seed);
      const size = [0, 1].map(
        (i) => ((c.kernel[i] as number) - 1) * (c.dilations[i] as number) + 1 + (c.extra[i] as number),
      );
      const x = bytes(random, c.pair[0], [1 + random.integer(2), c.group * c.groupIn, ...size]);
      const w = bytes(random, c.pair[1], [c.group * c.groupOut, c.groupIn, ...c.kernel]);
      const attributes: Required<ConvAttributes> = {
        auto_pad: 'NOTSET',
        group: c.group,
        kernel_shape: c.kernel,
        strides: c.strides,
        dilations: c.dilations,
        pads: c.pads,
      };
      return { random, x, w, attributes, channels: c.group * c.groupOut };
    });

  it('have the sums of the definition for every pair of types, with a zero point for each channel of w', () => {
    fc.assert(
      fc.property(cases, ({ random, x, w, attributes, channels }) => {
        const x_zero_point = bytes(random, x.dtype, []);
        const w_zero_point = bytes(random, w.dtype, [channels]);
        const y = convInteger({ x, w, x_zero_point, w_zero_point }, attributes);
        const wanted = referenceConv(x, w, at(x_zero_point.data, 0), w_zero_point.data, attributes);
        assert.deepEqual(y, onnxTensor('int32', wanted.dims, wanted.acc));
      }),
      { numRuns: 150 },
    );
  });

  it('add the bias and requantize with the scale of each channel', () => {
    fc.assert(
      fc.property(cases, fc.constantFrom(...BYTE_TYPES), ({ random, x, w, attributes, channels }, yType) => {
        const w_scale = onnxTensor(
          'float32',
          [channels],
          new Float32Array(channels).map(() => 0.01 + random.uniform()),
        );
        const B = onnxTensor(
          'int32',
          [channels],
          new Int32Array(channels).map(() => random.integer(100000) - 50000),
        );
        const scalar = (value: number) => onnxTensor('float32', [], Float32Array.of(value));
        const y_scale = scalar(100 * Math.sqrt(sizeOf(w.dims.slice(1))));
        const inputs = {
          x,
          x_scale: scalar(0.7),
          x_zero_point: bytes(random, x.dtype, []),
          w,
          w_scale,
          w_zero_point: bytes(random, w.dtype, [channels]),
          y_scale,
          y_zero_point: bytes(random, yType, []),
          B,
        };
        const y = qLinearConv<'uint8' | 'int8'>(inputs, attributes);
        const { acc, dims } = referenceConv(
          x,
          w,
          at(inputs.x_zero_point.data, 0),
          inputs.w_zero_point.data,
          attributes,
        );
        const plane = (dims[2] as number) * (dims[3] as number);
        const wanted = [...acc].map((sum, i) => {
          const channel = Math.floor(i / plane) % channels;
          const scales = [at(inputs.x_scale.data, 0), at(w_scale.data, channel), at(y_scale.data, 0)] as const;
          return requantized(sum + at(B.data, channel), ...scales, at(inputs.y_zero_point.data, 0), yType);
        });
        assert.deepEqual([...y.data], wanted);
      }),
      { numRuns: 100 },
    );
  });

  it('take w packed once, with its zero points, for images of any size', () => {
    const random = new Random(6);
    for (const [group, groupIn, groupOut] of [
      [1, 5, 20],
      [3, 1, 2],
      [2, 4, 3],
    ] as const) {
      const w = bytes(random, 'int8', [group * groupOut, groupIn, 3, 3]);
      const w_zero_point = bytes(random, 'int8', [group * groupOut]);
      const packed = packW({ w, w_zero_point }, { group });
      for (const size of [3, 12]) {
        const x = bytes(random, 'uint8', [2, group * groupIn, size, size]);
        assert.deepEqual(convInteger({ x, w: packed }, { group }), convInteger({ x, w, w_zero_point }, { group }));
        assert.throws(() => convInteger({ x, w: packed }, { group: group + 1 }), /convInteger: (group|w): expected/);
      }
    }
  });

  it('give a sample the same codes whatever its neighbours and the number of threads', () => {
    const random = new Random(11);
    const x = bytes(random, 'uint8', [3, 16, 30, 30]);
    const w = bytes(random, 'int8', [40, 16, 3, 3]);
    const all = convInteger({ x, w }, { pads: [1, 1, 1, 1] });
    const size = all.data.length / 3;
    setThreads(3);
    for (let i = 0; i < 3; i++) {
      const one = onnxTensor(
        'uint8',
        [1, 16, 30, 30],
        x.data.slice((i * x.data.length) / 3, ((i + 1) * x.data.length) / 3) as Uint8Array,
      );
      assert.deepEqual(
        convInteger({ x: one, w }, { pads: [1, 1, 1, 1] }).data,
        all.data.slice(i * size, (i + 1) * size),
      );
    }
    setThreads(0);
  });
});
