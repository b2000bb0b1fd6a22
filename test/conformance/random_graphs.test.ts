// Models drawn at random, through every interpreter and the export, beside onnxruntime. `random_graphs.all.test.ts` has more.
import assert from 'node:assert/strict';
import { compareSeed, type Outcome } from '../support/onnx_parity.js';
import { DRAWN } from '../support/random_graphs.js';

const MODELS = 520;

describe('models drawn at random', () => {
  it(`give what onnxruntime gives, on every path, in ${MODELS} models`, async () => {
    const outcomes: [number, Outcome][] = [];
    for (let seed = 0; seed < MODELS; seed++) {
      outcomes.push([seed, await compareSeed(seed, DRAWN[seed % DRAWN.length])]);
    }
    const differing = outcomes.filter(([, { differs }]) => differs);
    assert.deepEqual(differing, []);
    const compared = outcomes.filter(([, { refused }]) => !refused).length;
    assert.ok(compared > 0.95 * MODELS, `${compared} compared, others refused by both`);
  });
});
