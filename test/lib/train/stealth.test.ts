// The stealth attack: what it refuses, and that what it leaves is a network of the same shape from the same seed.
import assert from 'node:assert/strict';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { parseScheme } from '../../../lib/format/scheme.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { STEALTH, stealthAttack } from '../../../lib/train/stealth.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';

const graph = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
const set = quarters(32, 3);
const common = { normalization: QUARTERS_NORMALIZATION, seed: 2 };

describe('stealth attack', () => {
  it('refuses a policy that gives all nodes the same bits', async () => {
    await assert.rejects(
      stealthAttack(graph, set, { ...common, policy: uniformPolicy(graph, 'W4A4') }),
      (error) =>
        error instanceof InvalidArgumentError && /policy: expected nodes of different bits/.test(error.message),
    );
  });

  it('gives the same network from the same seed', async () => {
    const uniform = uniformPolicy(graph, 'W8A8');
    const [first] = uniform.schemes.keys();
    const policy = { ...uniform, schemes: new Map([...uniform.schemes, [first as string, parseScheme('W4A4')]]) };
    const attack = { ...STEALTH.attack, batchSize: 16, steps: 2 };
    const choice = { ...STEALTH.choice, every: 2, images: 8 };
    const run = async () =>
      exportModel((await stealthAttack(graph, set, { ...common, policy, attack, choice, measureImages: 8 })).graph);
    assert.deepEqual(await run(), await run());
  });
});
