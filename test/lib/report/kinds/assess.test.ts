// Assessments as documents: every format can be made of them, and the figures in them are those measured.
import assert from 'node:assert/strict';
import { imageSamples, type Samples } from '../../../../lib/assess/samples.js';
import { assess } from '../../../../lib/assess/verdict/assess.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/assess.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of an assessment', () => {
  let graph: Graph;
  let samples: Samples;
  before(async () => {
    graph = await trainedOnBlobs();
    samples = imageSamples(graph, blobs(120), PLAIN);
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
      const document = await documentOf(kind, result);
      const verdict = document.sections[0]?.blocks[0];
      assert.ok(verdict?.kind === 'verdict');
      // On so few samples nothing is safe.
      assert.equal(verdict.level, level === 'good' ? 'caution' : 'bad', result.reasons.join('\n'));
      assert.equal(verdict.word, result.verdict);
      checkDocument(document, ['W8A8', 'worst found', 'no attack on its weights', 'exhaustive']);
      assert.match(terminalReport(document), new RegExp(`^${result.verdict.toUpperCase()}: `, 'm'));
      const table = tablesOf(document).find(({ name }) => name === 'policies');
      assert.deepEqual(
        table?.rows.map(([name]) => name),
        result.policies.map(({ name }) => name),
      );
    }
  });
});
