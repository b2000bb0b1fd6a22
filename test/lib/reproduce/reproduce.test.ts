// The whole experiment in small: what it leaves, and that its figures agree with each other.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../lib/report/schema.js';
import { reproduce } from '../../../lib/reproduce/reproduce.js';
import type { ReproduceSettings } from '../../../lib/reproduce/settings.js';
import { smallExperiment } from '../../support/small_experiment.js';

/** Figures are rounded to a millionth each. */
const ROUNDED = 2e-6;

describe('reproduce', () => {
  let folder: string;
  let settings: Partial<ReproduceSettings>;
  let whole: Report;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-reproduce-'));
    settings = smallExperiment(folder);
    whole = await reproduce({ out: join(folder, 'whole'), settings });
  });
  after(() => rmSync(folder, { recursive: true }));

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

  it('puts every network under corruptions, scans it in full precision and repairs it', () => {
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

  it('refuses impossible settings before any work', async () => {
    const out = join(folder, 'refused');
    const refused = (more: Partial<ReproduceSettings>, message: RegExp) =>
      assert.rejects(reproduce({ out, settings: { ...settings, ...more } }), message);
    await refused({ budget: 9 }, /bits: expected effective bits that these choices can have/);
    await refused({ attacks: [{ kind: 'cells', policy: '44' }] }, /3 quantizable nodes, the policy 44 bits for 2/);
    await refused({ attacks: [{ kind: 'stealth', policy: 'W4A4' }] }, /policy: expected nodes of different bits/);
    await refused({ validation: 0 }, /validation: expected an integer from 1 .*, received 0/);
    await refused({ agent: 'oracle' }, /agent: expected .*greedy.*, received oracle/);
    await refused({ data: join(folder, 'none.npz') }, /none\.npz/);
    assert.ok(!existsSync(out));
  });
});
