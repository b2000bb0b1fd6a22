// Many models drawn at random, beside onnxruntime, in chunks of seeds: FAULTLINE_SEEDS=1234 compares that model alone.
import assert from 'node:assert/strict';
import { compareSeed } from '../support/onnx_parity.js';
import { DRAWN } from '../support/random_graphs.js';

/** The daily test has those before. */
const FIRST = 520;
const CHUNK = 1000;
const CHUNKS = 20;

async function differing(seeds: Iterable<number>): Promise<string[]> {
  const lines: string[] = [];
  for (const seed of seeds) {
    const { differs, operators, opset } = await compareSeed(seed, DRAWN[seed % DRAWN.length]);
    if (differs) lines.push(`FAULTLINE_SEEDS=${seed}: ${operators.join(', ')} (operator set ${opset}): ${differs}`);
  }
  return lines;
}

describe('many models drawn at random', () => {
  const asked = process.env.FAULTLINE_SEEDS?.split(',').map(Number);
  if (asked) {
    it(`give what onnxruntime gives: ${asked}`, async () => assert.deepEqual(await differing(asked), []));
    return;
  }
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const first = FIRST + chunk * CHUNK;
    it(`give what onnxruntime gives: seeds ${first} to ${first + CHUNK - 1}`, async () => {
      assert.deepEqual(await differing(Array.from({ length: CHUNK }, (_, i) => first + i)), []);
    });
  }
});
