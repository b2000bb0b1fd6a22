// Policy files of both schemas and policies by input, damaged at random: refused by the file's name, or read.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readAnyPolicy } from '../../../lib/cli/policy.js';
import { policyToJson } from '../../../lib/policy/json.js';
import { quantizedNames, uniformPolicy } from '../../../lib/policy/policy.js';
import { inputPolicyToJson } from '../../../lib/search/input_policy_json.js';
import { Random } from '../../../lib/tensor/random.js';
import { graph } from '../../support/blobs.js';
import { acceptedOrRefused, damaged } from '../../support/damage.js';
import { policy } from '../../support/lively_policy.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

const DAMAGES = 1500;

describe('damaged policy files', () => {
  const folder = temporaryFolder();
  const files: Readonly<Record<string, () => unknown>> = {
    'faultline.policy/2': () => policyToJson(uniformPolicy(graph, 'W4A8')),
    'faultline.policy/1': () => {
      const { names } = quantizedNames(graph, {});
      const nodes = Object.fromEntries([...names].map((name) => [name, { weightBits: 4, activationBits: 8 }]));
      return { schema: 'faultline.policy/1', nodes, excluded: [] };
    },
    'faultline.input-policy/1': () => inputPolicyToJson(policy),
  };
  for (const [schema, make] of Object.entries(files)) {
    it(schema, async () => {
      const random = new Random(21);
      const good = Buffer.from(JSON.stringify(make(), null, 1));
      const file = folder('policy.json');
      writeFileSync(file, good);
      await readAnyPolicy(graph, file);
      let refused = 0;
      for (let i = 0; i < DAMAGES; i++) {
        const damage = damaged(good, random);
        writeFileSync(file, damage);
        if (!(await acceptedOrRefused(file, damage, () => readAnyPolicy(graph, file)))) refused++;
      }
      assert.ok(refused > DAMAGES / 4, `${refused} of ${DAMAGES}`);
    });
  }
});
