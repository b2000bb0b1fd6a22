// ONNX tensors: every element type bit for bit, and refusals that say what is wrong.
import assert from 'node:assert/strict';
import { decodeTensor, encodeTensor } from '../../../../lib/graph/onnx/codec.js';
import { tensorType } from '../../../../lib/graph/onnx/schema.js';
import { tensorFromProto } from '../../../../lib/graph/onnx/tensors.js';
import { type DType, float16ToFloat32Bits, float32ToFloat16Bits } from '../../../../lib/tensor/dtype.js';
import { type HostTensor, hostTensor } from '../../../../lib/tensor/host_tensor.js';

describe('ONNX tensors', () => {
  const samples: HostTensor[] = [
    hostTensor('float32', [2, 2], Float32Array.of(1.5, -0, Number.POSITIVE_INFINITY, 1e-45)),
    hostTensor('float64', [1], Float64Array.of(Math.PI)),
    hostTensor('float16', [3], Float32Array.of(65504, -0, 2 ** -24)),
    hostTensor('bfloat16', [2], Float32Array.of(1.0078125, 2 ** 127)),
    hostTensor('int8', [2], Int8Array.of(-128, 127)),
    hostTensor('int16', [1], Int16Array.of(-32768)),
    hostTensor('int32', [], Int32Array.of(-(2 ** 31))),
    hostTensor('int64', [2], BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n)),
    hostTensor('uint8', [1], Uint8Array.of(255)),
    hostTensor('uint16', [1], Uint16Array.of(65535)),
    hostTensor('uint32', [1], Uint32Array.of(2 ** 32 - 1)),
    hostTensor('uint64', [1], BigUint64Array.of(2n ** 64n - 1n)),
    hostTensor('bool', [2], Uint8Array.of(0, 1)),
    hostTensor('int4', [3], Int8Array.of(-8, 7, -1)),
    hostTensor('uint4', [3], Uint8Array.of(15, 0, 9)),
    hostTensor('string', [2], ['', 'naïve']),
    hostTensor('float32', [0, 4], new Float32Array(0)),
  ];
  for (const tensor of samples) {
    it(`${tensor.dtype} ${JSON.stringify(tensor.dims)} survives a round trip`, () => {
      assert.deepEqual(decodeTensor(encodeTensor(tensor)), tensor);
    });
  }

  it('keeps the payload of every NaN', () => {
    const bits = Uint32Array.of(0x7fc00001, 0xffc12345, 0x7f800001);
    const decoded = decodeTensor(encodeTensor(hostTensor('float32', [3], new Float32Array(bits.buffer))));
    assert.deepEqual(new Uint32Array((decoded.data as Float32Array).buffer), bits);
  });

  it('takes every float16 to float32 and back unchanged', () => {
    for (let half = 0; half < 65536; half++) assert.equal(float32ToFloat16Bits(float16ToFloat32Bits(half)), half);
  });

  it('rounds float32 to float16 half to even', () => {
    const bitsOf = (x: number) => float32ToFloat16Bits(new Uint32Array(Float32Array.of(x).buffer)[0] as number);
    const cases: [number, number][] = [
      [1 + 2 ** -11, 0x3c00],
      [1 + 3 * 2 ** -11, 0x3c02],
      [65519, 0x7bff],
      [65520, 0x7c00],
      [2 ** -25, 0],
      [1.5 * 2 ** -24, 2],
      [2 ** -14 * (1 - 2 ** -12), 0x0400],
      [-1, 0xbc00],
    ];
    for (const [value, half] of cases) assert.equal(bitsOf(value), half, String(value));
  });

  const typed: [DType, object, number[]][] = [
    ['float32', { dataType: 1, floatData: [new Uint8Array(Float32Array.of(1, -2).buffer)] }, [1, -2]],
    [
      'int8',
      { dataType: 3, int32Data: [Uint8Array.of(5, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1)] },
      [5, -1],
    ],
    ['float16', { dataType: 10, int32Data: [Uint8Array.of(0x80, 0x78, 0x80, 0xf8, 2)] }, [1, -1]],
    ['uint32', { dataType: 12, uint64Data: [Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0xf)] }, [1, 2 ** 32 - 1]],
    ['bool', { dataType: 9, int32Data: [Uint8Array.of(1), Uint8Array.of(0)] }, [1, 0]],
  ];
  for (const [dtype, proto, values] of typed) {
    it(`reads ${dtype} from its packed field`, () => {
      const tensor = decodeTensor(tensorType.encode({ dims: [2], ...proto } as never).finish());
      assert.equal(tensor.dtype, dtype);
      assert.deepEqual(Array.from(tensor.data as Float32Array), values);
    });
  }

  it('reads int64_data exactly', () => {
    const proto = {
      dims: [1],
      dataType: 7,
      int64Data: [Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1)],
    };
    assert.deepEqual(tensorFromProto(proto, 't').data, BigInt64Array.of(-(2n ** 63n)));
  });

  it('refuses external data, wrong lengths, impossible shapes and unknown types, by name', () => {
    const cases: [object, RegExp][] = [
      [
        { dims: [1], dataType: 1, dataLocation: 1, externalData: [{ key: 'location', value: 'w.bin' }] },
        /"w" *: expected one file with its weights inside, received data in "w.bin"/,
      ],
      [{ dims: [3], dataType: 1, rawData: new Uint8Array(8) }, /"w": expected 12 bytes for float32 \[3\], received 8/],
      [{ dims: [2 ** 31, 2 ** 31], dataType: 1, rawData: new Uint8Array(4) }, /not the shape of a tensor/],
      [{ dims: [-1], dataType: 1 }, /not the shape of a tensor/],
      [{ dims: [1], dataType: 14 }, /complex64 is not supported/],
      [{ dims: [2], dataType: 8, stringData: [new Uint8Array(0)] }, /expected 2 elements for \[2\], received 1/],
      [{ dims: [1], dataType: 7, int64Data: [Uint8Array.of(0x80)] }, /truncated/],
    ];
    for (const [proto, pattern] of cases) {
      assert.throws(() => tensorFromProto({ name: 'w', ...proto }, 'm.onnx'), pattern);
    }
  });
});
