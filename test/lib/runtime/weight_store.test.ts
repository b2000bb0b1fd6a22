// Weights are packed once for each way to quantize them, however often and by whichever scheme object they are asked for.
import { strict as assert } from 'node:assert';
import { perTensor } from '../../../lib/format/granularity.js';
import { parseScheme } from '../../../lib/format/scheme.js';
import type { ConvProduct, MatmulProduct } from '../../../lib/runtime/product.js';
import { WeightStore } from '../../../lib/runtime/weight_store.js';

const [CHANNELS, K] = [4, 32];
const weights = Float32Array.from({ length: CHANNELS * K }, (_, i) => Math.sin(i));
const common = { activation: 'x', channels: CHANNELS, weights, bias: undefined };
const matmul = (): MatmulProduct => ({ ...common, kind: 'matmul', transposed: false, addend: undefined });
const conv: ConvProduct = { ...common, kind: 'conv', shape: [CHANNELS, 1, 1, K], kernel: [1, 1], groups: 1 };
const operand = (name: string) => parseScheme(name).weights;

describe('WeightStore', () => {
  let store: WeightStore;
  beforeEach(() => {
    store = new WeightStore();
  });
  afterEach(() => store.dispose());

  it('packs a product once for equal operands', () => {
    const product = matmul();
    const first = store.matmul(product, operand('W8A8'));
    const { bytes } = store;
    assert.equal(store.matmul(product, { ...operand('W8A8') }), first);
    assert.equal(store.matmul(product, operand('W8A4')), first);
    assert.equal(store.bytes, bytes);
    assert.equal(store.conv(conv, operand('W8A8')), store.conv(conv, { ...operand('W8A8') }));
  });

  it('packs again for other bits, another granularity, another product', () => {
    const product = matmul();
    const packed = ['W8A8', 'W4A8', 'W8A8/g16'].map((name) => store.matmul(product, operand(name)));
    packed.push(store.matmul(matmul(), operand('W8A8')));
    assert.equal(new Set(packed).size, packed.length);
    assert.equal(
      store.bytes,
      packed.reduce((sum, { bytes }) => sum + bytes, 0),
    );
  });

  it('computes dequantized weights once, and counts their memory', () => {
    const product = matmul();
    let calls = 0;
    const make = () => {
      calls += 1;
      return weights;
    };
    assert.equal(store.dequantized(product, operand('W4A16'), make), weights);
    assert.equal(store.dequantized(product, { ...operand('W4A16') }, make), weights);
    assert.equal(calls, 1);
    assert.equal(store.bytes, weights.byteLength);
  });

  it('packs the codes of a format that makes its own', () => {
    const weightCodes = (channel: Float32Array) => ({
      codes: Int8Array.from(channel, (w) => (w < 0 ? -1 : 1)),
      scale: 3,
    });
    const signs = { format: { name: 'signs', kind: 'integer', bits: 1, weightCodes } as const, granularity: perTensor };
    for (const packed of [store.matmul(matmul(), signs), store.conv(conv, signs)]) {
      assert.deepEqual(
        [...packed.codes()],
        [...weights].map((w) => (w < 0 ? -1 : 1)),
      );
      assert.deepEqual([...packed.scales()], new Array(CHANNELS).fill(3));
    }
  });

  it('holds nothing after dispose', () => {
    store.matmul(matmul(), operand('W8A8'));
    store.dispose();
    assert.equal(store.bytes, 0);
  });
});
