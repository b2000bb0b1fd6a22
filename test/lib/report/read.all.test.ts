// Results of every kind, damaged at random: `report` and `diff` refuse them by the file's name, or show them.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { diffResults } from '../../../lib/report/diff.js';
import { checkResult, kindNamed, SCHEMAS } from '../../../lib/report/kinds.js';
import { readResult } from '../../../lib/report/read.js';
import { FORMATS, render } from '../../../lib/report/render.js';
import { toJson } from '../../../lib/run/files.js';
import { Random } from '../../../lib/tensor/random.js';
import { acceptedOrRefused, damaged } from '../../support/damage.js';
import { fromSchema } from '../../support/from_schema.js';
import { temporaryFolder } from '../../support/temporary_folder.js';

/** Of each kind. */
const DAMAGES = 300;

describe('damaged results', () => {
  const folder = temporaryFolder();
  const random = new Random(20);
  let names = 0;

  for (const schema of SCHEMAS) {
    it(schema, async () => {
      const { result } = await kindNamed(schema);
      const good: Buffer[] = [];
      for (let draw = 0; draw < 200 && good.length < 5; draw++) {
        const value = fromSchema(result, random, () => `name ${names++ % 7}`);
        if (await checkResult(value).catch(() => undefined)) good.push(Buffer.from(toJson(value)));
      }
      assert.ok(good.length > 0);
      const file = folder('result.json');
      for (let i = 0; i < DAMAGES; i++) {
        const damage = damaged(good[i % good.length] as Buffer, random);
        writeFileSync(file, damage);
        await acceptedOrRefused(file, damage, async () => {
          const read = { ...(await readResult(file)), path: file };
          await render(FORMATS[i % FORMATS.length] as (typeof FORMATS)[number], read);
          await checkResult(diffResults(read, read));
        });
      }
    });
  }
});
