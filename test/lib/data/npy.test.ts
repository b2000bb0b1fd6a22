// NumPy's .npy format: types, orders, versions, and headers that are refused.
import assert from 'node:assert/strict';
import { asFloats, parseNpy } from '../../../lib/data/npy.js';
import { Random } from '../../../lib/tensor/random.js';
import { npy, npyAround } from '../../support/npy.js';

const reversed = (data: ArrayBufferView, size: number) => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return bytes;
};

describe('npy', () => {
  it('reads every type in both byte orders, and every version', () => {
    const types: [string, ArrayBufferView, number][] = [
      ['i1', Int8Array.of(-128, 127), 1],
      ['u2', Uint16Array.of(1, 65535), 2],
      ['i2', Int16Array.of(-2, 258), 2],
      ['u4', Uint32Array.of(1, 2 ** 32 - 1), 4],
      ['i4', Int32Array.of(-3, 66051), 4],
      ['u8', BigUint64Array.of(1n, 2n ** 64n - 1n), 8],
      ['i8', BigInt64Array.of(-5n, 2n ** 62n + 1n), 8],
      ['f4', Float32Array.of(-0.5, 1e30), 4],
      ['f8', Float64Array.of(0.1, -1e300), 8],
    ];
    for (const [type, data, size] of types) {
      for (const version of [1, 2, 3] as const) {
        const little = parseNpy('x', npy(`<${type}`, [2], data, { version }));
        assert.deepEqual(little.data, data, type);
        assert.deepEqual(parseNpy('x', npy(`>${type}`, [2], reversed(data, size), { version })).data, data, type);
      }
    }
    assert.deepEqual(parseNpy('x', npy('>f2', [2], Uint8Array.of(0x3c, 0, 0xc0, 0))).data, Float32Array.of(1, -2));
    assert.ok(parseNpy('x', npy('|b1', [2], Uint8Array.of(1, 0))).bool);
  });

  it('reads Fortran order as the same array', () => {
    const shape = [2, 3, 4];
    const first = Int32Array.from({ length: 24 }, (_, i) => i);
    const last = new Int32Array(24);
    for (let i = 0; i < 24; i++) last[Math.floor(i / 12) + 2 * (Math.floor(i / 4) % 3) + 6 * (i % 4)] = i;
    assert.deepEqual(parseNpy('x', npy('<i4', shape, last, { fortran: true })).data, first);
  });

  it('reads 120 arrays of any shape, order and type, as their definition says', () => {
    const random = new Random(5);
    for (let round = 0; round < 120; round++) {
      const shape = Array.from({ length: 1 + random.integer(4) }, () => 1 + random.integer(5));
      const size = shape.reduce((product, dim) => product * dim);
      const values = Float64Array.from({ length: size }, () => random.integer(200) - 100);
      const [big, fortran] = [random.integer(2) === 1, random.integer(2) === 1];
      // Column-major: element (i, j, …) is at i + shape[0] · (j + …).
      const stored = new Float64Array(size);
      for (let at = 0; at < size; at++) {
        let [rest, place] = [at, 0];
        for (let axis = shape.length - 1; axis >= 0; axis--) {
          const inner = shape.slice(0, axis).reduce((product, dim) => product * dim, 1);
          place += (rest % (shape[axis] as number)) * inner;
          rest = Math.floor(rest / (shape[axis] as number));
        }
        stored[fortran ? place : at] = values[at] as number;
      }
      const types: readonly (readonly [string, ArrayBufferView, number])[] = [
        ['i1', Int8Array.from(stored), 1],
        ['i2', Int16Array.from(stored), 2],
        ['f4', Float32Array.from(stored), 4],
        ['f8', stored, 8],
        ['i8', BigInt64Array.from(stored, BigInt), 8],
      ];
      const [type, data, bytes] = types[random.integer(5)] as (typeof types)[number];
      const file = npy(`${big ? '>' : '<'}${type}`, shape, big ? reversed(data, bytes) : data, { fortran });
      const read = parseNpy('x', file);
      assert.deepEqual([read.dims, asFloats(read.data)], [shape, Float32Array.from(values)], `${type} ${shape} ${big}`);
    }
  });

  it('rounds 64-bit integers once', () => {
    // Through a double, 2^61 + 2^37 + 1 would round to 2^61 + 2^37 first, and that, half way, to 2^61.
    const values = [2n ** 61n + 2n ** 37n + 1n, -(2n ** 61n) - 2n ** 37n - 1n, 2n ** 53n + 1n, -7n];
    const expected = Float32Array.of(2 ** 61 + 2 ** 38, -(2 ** 61) - 2 ** 38, 2 ** 53, -7);
    assert.deepEqual(asFloats(BigInt64Array.from(values)), expected);
  });

  it('refuses with the reason, before anything is allocated', () => {
    const header = (descr: string, shape: string, order = 'False') =>
      npyAround(`{'descr': ${descr}, 'fortran_order': ${order}, 'shape': ${shape}, }`, new Uint8Array(8));
    const cases: [Uint8Array, RegExp][] = [
      [
        header("'<f4'", '(-1, 3, 8, -28)'),
        /x: expected a shape of at most 32 integers ≥ 0, received \(-1, 3, 8, -28\)/,
      ],
      [header("'<f4'", '(20, 1.5, 28)'), /expected a shape of at most 32 integers/],
      [header("'<f4'", '(2)'), /expected a shape that is a tuple/],
      [header("'<f4'", '(4294967296, 4294967296, 4294967296)'), /expected at most \d+ bytes of one array/],
      [header("'<f4'", '(9007199254740993,)'), /expected a shape of at most 32 integers/],
      [header("'<f4'", '(3,)'), /expected 12 bytes for \(3\), received 8: a truncated file/],
      [header("'<f4'", '(1,)'), /expected 4 bytes for \(1\), received 8: 4 bytes after the array/],
      [header("'<c8'", '(1,)'), /received '<c8', complex numbers/],
      [header("'|O'", '(1,)'), /received '\|O', Python objects \(pickled\)/],
      [header("'<U2'", '(1,)'), /received '<U2', strings/],
      [header("'<f16'", '(1,)'), /received '<f16', floats of another size/],
      [header("[('a', '<f4'), ('b', '<i4')]", '(1,)'), /received a structured array/],
      [header("'|b1'", '(8,)').fill(2, 128), /expected booleans, 0 or 1/],
      [header("'<f4'", '(2,)', 'Maybe'), /expected a \.npy header/],
      [npyAround("{'descr': '<f4', 'shape': (2,)}", new Uint8Array(8)), /expected a \.npy header/],
      [npyAround('{}', new Uint8Array(8), 9), /expected \.npy of version 1\.0, 2\.0 or 3\.0, received 9\.0/],
      [header("'<f4'", '(2,)').subarray(0, 60), /expected a whole \.npy header, received a truncated one/],
      [new Uint8Array(200), /do not begin with/],
    ];
    for (const [bytes, message] of cases) assert.throws(() => parseNpy('x', bytes), message);
  });
});
