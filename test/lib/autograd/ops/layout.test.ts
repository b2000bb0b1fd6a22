// Layouts: channels last and back, against index arithmetic; the gradient returns in the layout of the input.
import assert from 'node:assert/strict';
import { samePlanes, toChannelsLast, toRows } from '../../../../lib/autograd/ops/layout.js';
import { Tape } from '../../../../lib/autograd/tape.js';
import { Memory } from '../../../../lib/tensor/memory.js';

const DIMS = [2, 3, 4, 5] as const;
const SIZE = 120;

/** Where element [n, c, h, w] of DIMS lies in rows and in channels-last memory. */
function* places(): Generator<readonly [rows: number, last: number]> {
  const [N, C, H, W] = DIMS;
  for (let n = 0; n < N; n++)
    for (let c = 0; c < C; c++)
      for (let h = 0; h < H; h++)
        for (let w = 0; w < W; w++) yield [((n * C + c) * H + h) * W + w, ((n * H + h) * W + w) * C + c];
}

describe('autograd: layout', () => {
  const data = Float32Array.from({ length: SIZE }, (_, i) => i + 1);

  for (const [from, convert] of [
    ['rows', toChannelsLast],
    ['channelsLast', toRows],
  ] as const) {
    it(`from ${from}: every element finds its place, and its gradient the way back`, () => {
      const tape = new Tape({ memory: new Memory(), training: true, record: true });
      const gradient = new Float32Array(SIZE);
      const x = tape.parameter(data, gradient, DIMS, 0, from);
      const y = convert(tape, x);
      assert.deepEqual(y.dims, DIMS);
      assert.notEqual(y.layout, from);
      const seed = Float32Array.from({ length: SIZE }, (_, i) => -i);
      tape.backward(y, seed);
      for (const [rows, last] of places()) {
        const [source, target] = from === 'rows' ? [rows, last] : [last, rows];
        assert.equal(y.data[target], data[source]);
        assert.equal(gradient[source], seed[target]);
      }
    });
  }

  it('is the same memory where channels or planes are one element', () => {
    assert.deepEqual(
      [samePlanes([2, 1, 4, 5]), samePlanes([2, 3, 1, 1]), samePlanes([2, 3, 1, 2])],
      [true, true, false],
    );
    const tape = new Tape({ memory: new Memory(), training: false, record: false });
    const x = tape.parameter(data.slice(0, 6), new Float32Array(6), [2, 3, 1, 1], 0, 'rows');
    assert.equal(toChannelsLast(tape, x).data, x.data);
  });
});
