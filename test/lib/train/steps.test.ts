// Images and networks: which fit, and that events run between batches.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { checkedInput, yieldToEvents } from '../../../lib/train/steps.js';
import { quarters } from '../../support/quarters.js';

function graphOf(...inputs: readonly (readonly (number | string)[])[]) {
  const b = new GraphBuilder('inputs');
  const names = inputs.map((dims, i) => b.input(`x${i}`, dims));
  b.output(b.node('y', 'Relu', [names[0] as string]));
  return b.build();
}

describe('images of a network', () => {
  const set = quarters(2, 1);

  it('fit where every dimension does, open ones among them', () => {
    for (const dims of [
      ['N', 1, 8, 8],
      [2, 1, 'H', 'W'],
    ] as const) {
      const { input, output } = checkedInput('train', graphOf(dims), set);
      assert.equal(input, 'x0');
      assert.equal(output, graphOf(dims).outputs[0]?.name);
    }
  });

  it('are refused by shape, and a network with two inputs by their number', () => {
    for (const dims of [
      ['N', 3, 8, 8],
      ['N', 1, 8, 9],
      ['N', 64],
    ]) {
      assert.throws(
        () => checkedInput('train', graphOf(dims), set),
        (error) => error instanceof InvalidArgumentError && /train: images: expected shape/.test(error.message),
      );
    }
    assert.throws(() => checkedInput('train', graphOf(['N', 1], ['N', 1]), set), /received 2 inputs/);
  });

  it('events run where a computation lets them', async () => {
    let ran = false;
    setImmediate(() => {
      ran = true;
    });
    await yieldToEvents();
    assert.ok(ran);
  });
});
