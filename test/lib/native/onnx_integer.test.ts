// matMulInteger and qLinearMatMul against their definitions, where ONNX Runtime has no kernel to compare with
// (test/conformance), and the algebra they obey; what the integer operators refuse.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { convInteger, matMulInteger, qLinearMatMul } from '../../../lib/native/onnx_integer.js';
import { packB } from '../../../lib/native/onnx_operand.js';
import { dequantizeLinear, quantizeLinear } from '../../../lib/native/onnx_quantize.js';
import { type ByteTensor, onnxTensor } from '../../../lib/native/onnx_tensor.js';
import { setThreads } from '../../../lib/native/threads.js';
import { Random } from '../../../lib/tensor/random.js';
import { at, BYTE_TYPES, bytes, PAIRS, referenceMatmul, requantized } from '../../support/integer_reference.js';

const seeds = fc.nat();
const sizes = fc.tuple(
  fc.integer({ min: 1, max: 35 }),
  fc.integer({ min: 1, max: 140 }),
  fc.integer({ min: 1, max: 70 }),
);

describe('matMulInteger and qLinearMatMul', () => {
  it('have the sums of the definition for every pair of types, with zero points by row and by column', () => {
    fc.assert(
      fc.property(
        sizes,
        seeds,
        fc.constantFrom(...PAIRS),
        fc.boolean(),
        fc.boolean(),
        ([m, k, n], seed, pair, byRow, byColumn) => {
          const random = new Random(seed);
          const A = bytes(random, pair[0], [m, k]);
          const B = bytes(random, pair[1], [k, n]);
          const a_zero_point = bytes(random, pair[0], byRow ? [m] : []);
          const b_zero_point = bytes(random, pair[1], byColumn ? [n] : []);
          const { dims, data } = matMulInteger({ A, B, a_zero_point, b_zero_point });
          assert.deepEqual(dims, [m, n]);
          assert.deepEqual(data, referenceMatmul(A, B, a_zero_point.data, b_zero_point.data));
        },
      ),
      { numRuns: 200 },
    );
  });

  it('requantize every row with its parameters', () => {
    fc.assert(
      fc.property(
        sizes,
        seeds,
        fc.constantFrom(...PAIRS),
        fc.constantFrom(...BYTE_TYPES),
        ([m, k, n], seed, pair, yType) => {
          const random = new Random(seed);
          const a = bytes(random, pair[0], [m, k]);
          const b = bytes(random, pair[1], [k, n]);
          const scales = (length: number, size: number) =>
            onnxTensor(
              'float32',
              [length],
              new Float32Array(length).map(() => size * (0.5 + random.uniform())),
            );
          const inputs = {
            a,
            a_scale: scales(m, 0.01),
            a_zero_point: bytes(random, pair[0], [m]),
            b,
            b_scale: scales(n, 0.02),
            b_zero_point: bytes(random, pair[1], [n]),
            y_scale: scales(m, 0.02 * Math.sqrt(k)),
            y_zero_point: bytes(random, yType, [m]),
          };
          const acc = referenceMatmul(a, b, inputs.a_zero_point.data, inputs.b_zero_point.data);
          const { data } = qLinearMatMul<'uint8' | 'int8'>(inputs);
          const wanted = [...acc].map((sum, i) => {
            const [row, column] = [Math.floor(i / n), i % n];
            const { a_scale, b_scale, y_scale, y_zero_point } = inputs;
            const scale = [at(a_scale.data, row), at(b_scale.data, column), at(y_scale.data, row)] as const;
            return requantized(sum, ...scale, at(y_zero_point.data, row), yType);
          });
          assert.deepEqual([...data], wanted);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('broadcast batches as numpy.matmul does, with zero points of each matrix', () => {
    const random = new Random(7);
    const A = bytes(random, 'int8', [2, 1, 3, 5]);
    const B = bytes(random, 'uint8', [4, 5, 2]);
    const a_zero_point = bytes(random, 'int8', [2, 1, 3, 1]);
    const b_zero_point = bytes(random, 'uint8', [4, 1, 2]);
    const y = matMulInteger({ A, B, a_zero_point, b_zero_point });
    assert.deepEqual(y.dims, [2, 4, 3, 2]);
    for (let i = 0; i < 2; i++) {
      for (let j = 0; j < 4; j++) {
        const a = onnxTensor('int8', [3, 5], A.data.slice(i * 15, (i + 1) * 15) as Int8Array);
        const b = onnxTensor('uint8', [5, 2], B.data.slice(j * 10, (j + 1) * 10) as Uint8Array);
        const za = a_zero_point.data.slice(i * 3, (i + 1) * 3);
        const zb = b_zero_point.data.slice(j * 2, (j + 1) * 2);
        const place = (i * 4 + j) * 6;
        assert.deepEqual(y.data.slice(place, place + 6), referenceMatmul(a, b, za, zb));
      }
    }
    const vector = onnxTensor('uint8', [5], Uint8Array.of(1, 2, 3, 4, 5));
    assert.deepEqual(matMulInteger({ A: vector, B: vector }), onnxTensor('int32', [], Int32Array.of(55)));
    assert.deepEqual(matMulInteger({ A: vector, B }).dims, [4, 2]);
    assert.deepEqual(matMulInteger({ A: onnxTensor('uint8', [0, 5]), B: vector }).dims, [0]);
  });

  it('are linear in A, and permuting columns of B permutes the result', () => {
    fc.assert(
      fc.property(sizes, seeds, ([m, k, n], seed) => {
        const random = new Random(seed);
        const half = (tensor: ByteTensor) =>
          onnxTensor(
            'int8',
            tensor.dims,
            (tensor.data as Int8Array).map((v) => v >> 1),
          );
        const a = half(bytes(random, 'int8', [m, k]));
        const b = half(bytes(random, 'int8', [m, k]));
        const sum = onnxTensor(
          'int8',
          [m, k],
          a.data.map((v, i) => v + (b.data[i] as number)),
        );
        const B = bytes(random, 'int8', [k, n]);
        const [left, right, both] = [a, b, sum].map((A) => matMulInteger({ A, B }).data) as [
          Int32Array,
          Int32Array,
          Int32Array,
        ];
        assert.deepEqual(
          both,
          left.map((v, i) => v + (right[i] as number)),
        );

        const order = random.shuffle(Array.from({ length: n }, (_, i) => i));
        const permuted = onnxTensor(
          'int8',
          [k, n],
          new Int8Array(k * n).map((_, i) => at(B.data, i - (i % n) + (order[i % n] as number))),
        );
        const moved = matMulInteger({ A: a, B: permuted }).data;
        assert.deepEqual(
          moved,
          left.map((_, i) => left[i - (i % n) + (order[i % n] as number)] as number),
        );
      }),
    );
  });

  it('take B packed once, with its zero points, until it is disposed', () => {
    const random = new Random(5);
    const B = bytes(random, 'uint8', [2, 40, 9]);
    const b_zero_point = bytes(random, 'uint8', [9]);
    const packed = packB({ B, b_zero_point });
    assert.ok(packed.bytes >= B.data.length);
    for (const m of [1, 17]) {
      const A = bytes(random, 'uint8', [m, 40]);
      assert.deepEqual(matMulInteger({ A, B: packed }), matMulInteger({ A, B, b_zero_point }));
    }
    const A = bytes(random, 'uint8', [3, 40]);
    assert.throws(
      () => matMulInteger({ A, B: packed, b_zero_point }),
      /b_zero_point: expected none with a packed operand/,
    );
    assert.throws(() => convInteger({ x: bytes(random, 'uint8', [1, 1, 40]), w: packed }), InvalidArgumentError);
    packed.dispose();
    assert.equal(packed.bytes, 0);
    assert.throws(() => matMulInteger({ A, B: packed }), /B: expected packed matrices, received disposed ones/);
  });

  it('give the same bits with every number of threads', () => {
    const random = new Random(3);
    const A = bytes(random, 'int8', [200, 300]);
    const B = bytes(random, 'uint8', [300, 600]);
    const results = [1, 2, 5].map((count) => {
      setThreads(count);
      return matMulInteger({ A, B }).data;
    });
    setThreads(0);
    assert.deepEqual(results[1], results[0]);
    assert.deepEqual(results[2], results[0]);
  });
});

describe('the ONNX integer operators', () => {
  it('refuse what they cannot take, saying what was expected and what received', () => {
    const u8 = (...dims: number[]) => onnxTensor('uint8', dims);
    const f32 = (...values: number[]) => onnxTensor('float32', [values.length], Float32Array.from(values));
    const scalar = onnxTensor('float32', [], Float32Array.of(1));
    const q = {
      a: u8(2, 3),
      a_scale: scalar,
      a_zero_point: u8(),
      b: u8(3, 4),
      b_scale: scalar,
      b_zero_point: u8(),
      y_scale: scalar,
      y_zero_point: u8(),
    };
    const x = u8(1, 4, 5, 5);
    const w = u8(6, 4, 3, 3);
    const floats = onnxTensor('float32', [2, 3]);
    const refusals: [() => unknown, RegExp][] = [
      [
        () => matMulInteger({ A: u8(2, 3), B: u8(4, 2) }),
        /matMulInteger: B: expected K = 3 rows, .*, received \[4,2\]/,
      ],
      [() => matMulInteger({ A: u8(2, 0), B: u8(0, 2) }), /B: expected K of at least 1/],
      [() => matMulInteger({ A: u8(2, 2, 3), B: u8(3, 3, 2) }), /B: expected a batch that broadcasts/],
      [() => matMulInteger({ A: u8(), B: u8(3, 2) }), /A: expected at least one dimension, received a scalar/],
      [
        () => matMulInteger({ A: floats as never, B: u8(3, 2) }),
        /A: expected a tensor of uint8 or int8, received float32/,
      ],
      [() => matMulInteger({ A: { ...u8(2, 3), dims: [2, 2] }, B: u8(2, 2) }), /A: expected 4 elements .*, received 6/],
      [
        () => matMulInteger({ A: u8(2, 3), B: u8(3, 2), a_zero_point: u8(3) }),
        /a_zero_point: .*\[2\] or \[2,1\], received \[3\]/,
      ],
      [
        () => matMulInteger({ A: u8(2, 3), B: u8(3, 2), b_zero_point: onnxTensor('int8', []) }),
        /b_zero_point: .*uint8, received int8/,
      ],
      [
        () => matMulInteger({ A: u8(1, 40000), B: u8(40000, 1) }),
        /K: expected at most 33025 \(int32 accumulators\), received 40000/,
      ],
      [
        () => qLinearMatMul({ ...q, y_scale: f32(0) }),
        /y_scale: expected finite scales other than 0, received 0\.0+ at index 0/,
      ],
      [
        () => qLinearMatMul({ ...q, b_scale: f32(1, 1) }),
        /b_scale: expected a scalar, \[4\] or \[1,4\], received \[2\]/,
      ],
      [() => convInteger({ x, w }, { group: 2 }), /convInteger: w: expected C \/ group = 2 input channels/],
      [
        () => convInteger({ x, w: u8(6, 4, 6, 3) }),
        /x: expected at least 6 padded elements, the reach of the window, received 5/,
      ],
      [() => convInteger({ x, w }, { pads: [1, 1] }), /pads: expected 4 integers from 0 .*, received \[1,1\]/],
      [() => convInteger({ x, w }, { strides: [0, 1] }), /strides: expected 2 integers from 1/],
      [
        () => convInteger({ x, w }, { kernel_shape: [3, 1] }),
        /kernel_shape: expected \[3,3\], that of w, received \[3,1\]/,
      ],
      [() => convInteger({ x, w }, { auto_pad: 'SAME' as never }), /auto_pad: expected NOTSET/],
      [
        () => convInteger({ x: u8(1, 4, 5, 5, 5), w: u8(6, 4, 1, 1, 1) }),
        /x: expected shape \[N, C, W\] or \[N, C, H, W\]/,
      ],
      [() => convInteger({ x, w, x_zero_point: u8(4) }), /x_zero_point: expected a scalar, received shape \[4\]/],
      [
        () => convInteger({ x, w, w_zero_point: u8(5) }),
        /w_zero_point: expected a scalar or shape \[6\], received \[5\]/,
      ],
      [() => quantizeLinear({ x: floats, y_scale: f32(1, 1) }), /y_scale: expected shape \[3\], received \[2\]/],
      [
        () => quantizeLinear({ x: floats, y_scale: scalar, y_zero_point: u8() }, { output_dtype: 'int8' as never }),
        /output_dtype: expected uint8/,
      ],
      [
        () => dequantizeLinear({ x: u8(2, 3), x_scale: f32(1, 1, 1) }, { axis: 2 }),
        /axis: expected an integer from -2 to 1/,
      ],
      [
        () => dequantizeLinear({ x: u8(2, 3), x_scale: f32(1, 1) }, { axis: 1, block_size: 2 }),
        /x_scale: expected shape \[2,2\]/,
      ],
    ];
    for (const [call, message] of refusals) {
      assert.throws(call, (error: unknown) => {
        assert.ok(error instanceof InvalidArgumentError);
        assert.match(error.message, message);
        return true;
      });
    }
  });
});
