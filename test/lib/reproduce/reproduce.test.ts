// The whole experiment in small: the same figures every time, also when it was stopped on the way.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../lib/report/schema.js';
import { reproduce } from '../../../lib/reproduce/reproduce.js';
import type { ReproduceSettings } from '../../../lib/reproduce/settings.js';
import { writeStripes } from '../../support/stripes.js';

/** Figures are rounded to a millionth each. */
const ROUNDED = 2e-6;

describe('reproduce', () => {
  let folder: string;
  let settings: Partial<ReproduceSettings>;
  let whole: Report;

  before(async function () {
    this.timeout(600_000);
    folder = mkdtempSync(join(tmpdir(), 'faultline-reproduce-'));
    const data = join(folder, 'stripes.npz');
    writeStripes(data, 1600, 300);
    settings = {
      data,
      arch: 'convnet2',
      validation: 400,
      budget: 6,
      staticChoices: ['W4A4', 'W4A8', 'W8A8'],
      evaluations: 4,
      searchImages: 200,
      agents: ['greedy', 'random'],
    };
    whole = await reproduce({ out: join(folder, 'whole'), settings });
  });
  after(() => rmSync(folder, { recursive: true }));

  /** What must not differ between two runs: everything but times and memory. */
  const figuresOf = (report: Report) => ({
    ...report,
    totalSeconds: 0,
    provenance: { ...report.provenance, stages: [], peakMemoryBytes: 0 },
  });

  it('leaves networks, policies and the report in the run', () => {
    const pairs = ['detrimental', 'robust'].flatMap((objective) => [`${objective}-static`, `${objective}-input`]);
    const files = [...pairs.flatMap((pair) => [`${pair}.onnx`, `${pair}.json`]), 'teacher.onnx', 'gauge.onnx'];
    for (const file of [...files, 'report.json', 'report.html', 'report.md', 'manifest.json', 'events.jsonl']) {
      assert.ok(existsSync(join(folder, 'whole', file)), file);
    }
    assert.deepEqual(
      JSON.parse(readFileSync(join(folder, 'whole/report.json'), 'utf8')),
      JSON.parse(JSON.stringify(whole)),
    );
  });

  it('reports pairs of both objectives and policies with consistent figures', () => {
    assert.deepEqual(
      whole.pairs.map(({ objective, policy }) => `${objective} ${policy}`),
      ['detrimental static', 'detrimental input', 'robust static', 'robust input'],
    );
    for (const pair of whole.pairs) {
      assert.ok(Math.abs(pair.drop - (pair.fpAccuracy - pair.quantizedAccuracy)) < ROUNDED);
      assert.ok(Math.abs(pair.fpGap - ((whole.teacher?.accuracy ?? 0) - pair.fpAccuracy)) < ROUNDED);
      assert.equal(pair.effectiveBits, 6);
      assert.equal(pair.images, 300);
    }
    for (const input of whole.pairs.filter(({ policy }) => policy === 'input')) {
      const mean = (input.layers ?? []).reduce((sum, { activationBits }) => sum + activationBits, 0);
      assert.ok(Math.abs(mean / (input.layers ?? []).length - 6) < 1e-9, 'every image meets the budget');
      assert.ok(input.controls?.some(({ control }) => control === 'fresh attacker'));
    }
  });

  it('keeps full precision to the last bit in the gauge attack', () => {
    const [gauge] = whole.gauge;
    assert.equal(gauge?.fpBitExact, true);
    assert.equal(gauge?.fpAccuracy, whole.teacher?.accuracy);
  });

  it('never finds a policy worse than the worst there is', () => {
    assert.deepEqual(whole.search.map(({ agent }) => agent).sort(), ['greedy', 'random']);
    for (const { regret } of whole.search) assert.ok(regret >= 0);
  });

  it('puts every network under corruptions, looks at it in full precision and mends it', () => {
    const { corruptions, indicators = [], mitigation = [] } = whole;
    const networks = [...new Set(corruptions?.grid.map(({ network }) => network))];
    assert.deepEqual(networks, ['ordinary', 'detrimental, static', 'robust, static', 'gauge']);
    const kinds = new Set(corruptions?.grid.map(({ corruption }) => corruption));
    assert.equal(corruptions?.grid.length, 4 * 3 * kinds.size, 'three severities of each');
    assert.ok(kinds.has('fog') && kinds.has('bright_pixel'));
    assert.equal(corruptions?.pictures?.length, kinds.size);
    assert.ok(indicators.every(({ values = {} }) => Object.keys(values).length <= 4));
    assert.equal(mitigation.length, 2 * (networks.length + 2), 'clean and bright, policies by input too');
    const gauge = mitigation.find(({ network, scene }) => network === 'gauge' && scene === 'clean');
    assert.ok((gauge?.after ?? 0) >= (gauge?.before ?? 100));
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
  }).timeout(600_000);

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
  }).timeout(600_000);

  it('refuses impossible settings before any work', async () => {
    const out = join(folder, 'refused');
    const refused = (more: Partial<ReproduceSettings>, message: RegExp) =>
      assert.rejects(reproduce({ out, settings: { ...settings, ...more } }), message);
    await refused({ budget: 9 }, /bits: expected effective bits that these choices can have/);
    await refused({ validation: 1600 }, /--validation: expected fewer than the 1600 training images, received 1600/);
    await refused({ attacks: [{ kind: 'cells', policy: '44' }] }, /3 quantizable nodes, the policy 44 bits for 2/);
    await refused({ attacks: [{ kind: 'stealth', policy: 'W4A4' }] }, /policy: expected nodes of different bits/);
    await refused({ validation: 0 }, /validation: expected an integer from 1 .*, received 0/);
    await refused({ agent: 'oracle' }, /agent: expected .*greedy.*, received oracle/);
    await refused({ data: join(folder, 'none.npz') }, /none\.npz/);
    assert.ok(!existsSync(out));
  });
});
