// The whole experiment in small: attacks on supplied policies, and the same figures when it was stopped on the way.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../lib/report/schema.js';
import { reproduce } from '../../../lib/reproduce/reproduce.js';
import type { ReproduceSettings } from '../../../lib/reproduce/settings.js';
import { smallExperiment } from '../../support/small_experiment.js';

/** Figures are rounded to a millionth each. */
const ROUNDED = 2e-6;

describe('reproduce, again', () => {
  let folder: string;
  let settings: Partial<ReproduceSettings>;
  let whole: Report;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-reproduce-'));
    settings = smallExperiment(folder);
    whole = await reproduce({ out: join(folder, 'whole'), settings });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What must not differ between two runs: everything but times and memory. */
  const figuresOf = (report: Report) => ({
    ...report,
    totalSeconds: 0,
    provenance: { ...report.provenance, stages: [], peakMemoryBytes: 0 },
  });

  it('attacks a policy that is given, from a teacher that is given', async () => {
    const attacks = [{ kind: 'stealth', policy: '484' }] as const;
    const more = {
      pairs: [],
      gauge: false,
      search: false,
      stress: undefined,
      attacks,
      teacherModel: join(folder, 'whole/teacher.onnx'),
    };
    const report = await reproduce({ out: join(folder, 'attack'), settings: { ...settings, ...more } });
    assert.equal(report.teacher?.accuracy, whole.teacher?.accuracy);
    const [pair] = report.pairs;
    assert.deepEqual(
      pair?.layers?.map(({ activationBits }) => activationBits),
      [4, 8, 4],
    );
    assert.equal(report.landscapes?.[0]?.policies, 3, 'all ways to deal two fours and an eight');
    const marks = report.landscapes?.[0]?.marks?.map(({ x }) => x) as [number, number, number];
    assert.ok(Math.abs(marks[0] - (pair?.quantizedAccuracy ?? 0)) < ROUNDED, 'the learned policy is marked');
    assert.ok(marks.length === 3 && marks[1] <= marks[2], 'and quantiles of the other two');
    assert.ok(existsSync(join(folder, 'attack/stealth.onnx')));
  });

  it('gives the same report when it is stopped again and again', async () => {
    const out = join(folder, 'stopped');
    let report: Report | undefined;
    let stops = 0;
    for (let patience = 5; !report; patience *= 2) {
      const abort = new AbortController();
      let calls = 0;
      const onProgress = () => {
        calls += 1;
        if (calls === patience) abort.abort(new Error('stopped'));
      };
      try {
        report = await reproduce({ out, settings, signal: abort.signal, onProgress });
      } catch (error) {
        assert.match((error as Error).message, /stopped/);
        stops += 1;
      }
    }
    assert.ok(stops >= 3, `stopped ${stops} times`);
    assert.deepEqual(figuresOf(report), figuresOf(whole));
  });
});
