// What stands beside the figures of a reproduction: the published ones, with ours where there are any.
import assert from 'node:assert/strict';
import type { PairResult } from '../../../lib/report/schema.js';
import { reportSchema } from '../../../lib/report/schema.js';
import { ASSUMPTIONS, references } from '../../../lib/reproduce/story.js';

const pair = (objective: string, drop: number) => ({ objective, drop }) as PairResult;

describe('published figures', () => {
  it('have the span of ours beside them, by objective', () => {
    const pairs = [pair('detrimental', 12.34), pair('detrimental', 60), pair('robust', 0.5)];
    const [detrimental, robust, ...others] = references(pairs);
    assert.deepEqual([detrimental?.ours, robust?.ours], ['12.3 to 60.0 points', '0.5 points']);
    for (const { ours } of others) assert.equal(ours, undefined);
  });

  it('stand alone where nothing was learned, and are what the schema takes', () => {
    const all = references([]);
    assert.ok(all.every(({ ours, source }) => ours === undefined && source?.includes('2510.02457')));
    const report = { schema: 'faultline.report/1', references: all, assumptions: [...ASSUMPTIONS] };
    const read = reportSchema.parse(report);
    assert.equal(read.assumptions?.length, ASSUMPTIONS.length);
    assert.deepEqual(read.references, all);
  });
});
