// Profiles and assessments as documents: every format can be made of them, and the figures in them are those measured.
import assert from 'node:assert/strict';
import { assess } from '../../../lib/assess/assess.js';
import { profile } from '../../../lib/assess/profile.js';
import { imageSamples, type Samples } from '../../../lib/assess/samples.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../lib/quant/policy.js';
import { assessDocument } from '../../../lib/report/assess_document.js';
import { csvFiles } from '../../../lib/report/csv.js';
import { type Document, tablesOf } from '../../../lib/report/document.js';
import { htmlReport } from '../../../lib/report/html/page.js';
import { markdownReport } from '../../../lib/report/markdown.js';
import { profileDocument } from '../../../lib/report/profile_document.js';
import { terminalReport } from '../../../lib/report/terminal.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../support/assess_networks.js';

/** Names of CSV files are told apart, and every format holds these words. */
function check(document: Document, words: readonly string[]): void {
  const names = tablesOf(document).map(({ name }) => name);
  assert.equal(new Set(names).size, names.length, names.join(' '));
  assert.equal(csvFiles(document).size, names.length);
  for (const text of [htmlReport(document), markdownReport(document)]) {
    for (const word of words) assert.ok(text.includes(word), word);
    assert.doesNotMatch(text, /undefined|NaN|\[object/);
  }
  assert.ok(
    terminalReport(document)
      .split('\n')
      .every((line) => line.length <= 80),
  );
}

describe('documents of profile and assess', () => {
  let graph: Graph;
  let samples: Samples;
  before(async () => {
    graph = await trainedOnBlobs();
    samples = imageSamples(graph, blobs(120), PLAIN);
  });

  it('a profile: layers, channels, distributions, time', async () => {
    const found = await profile(graph, samples, { policy: uniformPolicy(graph, 'W4A4') });
    const document = profileDocument({ ...found, model: 'folder/net.onnx' });
    check(document, ['net.onnx', 'weight rounding', 'came in', 'Why slow', ...found.layers.map(({ node }) => node)]);
    const layers = tablesOf(document).find(({ name }) => name === 'layers');
    assert.deepEqual(
      layers?.rows.map(([node, bits, alone, here]) => [node, bits, alone, here]),
      found.layers.map(({ node, isolated, accumulated }) => [node, 'W4A4', isolated?.sqnrDb, accumulated.sqnrDb]),
    );
  });

  it('a profile without quantized layers has nothing but zeros to show, and shows them', async () => {
    const names = [...uniformPolicy(graph, 'W8A8').bits.keys()];
    const policy = { bits: new Map(), excluded: new Set(names) };
    const document = profileDocument(await profile(graph, samples, { policy }));
    assert.equal(document.lead, 'No layer is quantized.');
    check(document, names);
  });

  it('an assessment: the verdict with its colour, reasons, what helps; with labels and without', async () => {
    const apart = disparate(graph, 2 ** 9);
    const { labels: _, ...unlabelled } = blobs(80);
    const expected: [Graph, Samples, string][] = [
      [graph, samples, 'good'],
      [apart, samples, 'bad'],
      [graph, imageSamples(graph, unlabelled, PLAIN), 'good'],
    ];
    for (const [network, data, level] of expected) {
      const result = await assess(network, data, { evaluations: 4, thresholds: { maxDrop: 8 } });
      const document = assessDocument(result);
      const verdict = document.sections[0]?.blocks[0];
      assert.ok(verdict?.kind === 'verdict');
      // On so few samples nothing is safe.
      assert.equal(verdict.level, level === 'good' ? 'caution' : 'bad', result.reasons.join('\n'));
      assert.equal(verdict.word, result.verdict);
      check(document, ['W8A8', 'worst found', 'no attack on its weights', 'exhaustive']);
      const table = tablesOf(document).find(({ name }) => name === 'policies');
      assert.deepEqual(
        table?.rows.map(([name]) => name),
        result.policies.map(({ name }) => name),
      );
    }
  });
});
