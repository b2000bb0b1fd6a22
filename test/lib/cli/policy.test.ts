// Policies from the command line: a scheme, a file, and what is neither refused by name.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readPolicy } from '../../../lib/cli/policy.js';
import { InvalidArgumentError } from '../../../lib/core/errors.js';
import { policyToJson } from '../../../lib/policy/json.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { twoProducts } from '../../support/product_network.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

describe('policies from the command line', () => {
  const graph = twoProducts();
  const file = temporaryFolder();

  it('a scheme is for every node but those left out', async () => {
    assert.deepEqual(await readPolicy(graph, 'W4A8'), uniformPolicy(graph, 'W4A8'));
    const { schemes, excluded } = await readPolicy(graph, 'W4A8', ['first']);
    assert.deepEqual([[...schemes.keys()], [...excluded]], [['logits'], ['first']]);
  });

  it('a file is read, and nodes are left out whatever it says of them', async () => {
    writeFileSync(file('policy.json'), JSON.stringify(policyToJson(uniformPolicy(graph, 'W4A4'))));
    assert.deepEqual(await readPolicy(graph, file('policy.json')), uniformPolicy(graph, 'W4A4'));
    const { schemes } = await readPolicy(graph, file('policy.json'), ['logits']);
    assert.deepEqual([...schemes.keys()], ['first']);
  });

  it('refuses a file that is not there or holds no policy', async () => {
    writeFileSync(file('broken.json'), '{');
    for (const [path, message] of [
      [file('none.json'), /--policy: expected a scheme.*ENOENT/],
      [file('broken.json'), /--policy: expected a policy for this model, received .*broken\.json/],
    ] as const) {
      await assert.rejects(
        readPolicy(graph, path),
        (error) => error instanceof InvalidArgumentError && message.test(error.message),
      );
    }
  });
});
