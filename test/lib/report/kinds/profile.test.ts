// Profiles as documents: every format can be made of them, and the figures in them are those measured.

import assert from 'node:assert/strict';
import { profile } from '../../../../lib/assess/profile/profile.js';
import { imageSamples, type Samples } from '../../../../lib/assess/samples.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/profile.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { blobs, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of a profile', () => {
  let graph: Graph;
  let samples: Samples;
  before(async () => {
    graph = await trainedOnBlobs();
    samples = imageSamples(graph, blobs(120), PLAIN);
  });

  it('has layers, channels, distributions and time', async () => {
    const found = await profile(graph, samples, { policy: uniformPolicy(graph, 'W4A4') });
    const document = await documentOf(kind, { ...found, model: 'folder/net.onnx' });
    const nodes = found.layers.map(({ node }) => node);
    checkDocument(document, ['net.onnx', 'weight rounding', 'propagated', 'Why slow', ...nodes]);
    const layers = tablesOf(document).find(({ name }) => name === 'layers');
    assert.deepEqual(
      layers?.rows.map(([node, bits, alone, here]) => [node, bits, alone, here]),
      found.layers.map(({ node, isolated, accumulated }) => [node, 'W4A4', isolated?.sqnrDb, accumulated.sqnrDb]),
    );
    const text = terminalReport(document);
    assert.match(text, /^layer +bits +alone +here +act +wgt +prop +spread +µs +ceil$/m);
    assert.match(text, /most isolated noise/);
    assert.equal(text.match(/ W4A4 /g)?.length, found.layers.length);
  });

  it('pools channels beyond 64 columns by their largest, relative to the worst; shorter rows end in gaps', async () => {
    const found = await profile(graph, samples, { policy: uniformPolicy(graph, 'W4A4') });
    const [first, second] = found.layers;
    const channel = first?.channels[0];
    const errors = [Array.from({ length: 128 }, (_, i) => i + 1), [0, 0, 0], [1, 4]];
    const layers = errors.map((all, at) => ({
      ...{ ...(second ?? first), node: `n${at}`, channels: all.map((mse) => ({ ...channel, mse })) },
    }));
    const { sections } = kind.document(kind.check({ ...found, model: 'net.onnx', layers }));
    const map = sections
      .flatMap(({ blocks }) => blocks)
      .find((block) => 'name' in block && block.name === 'channels-map');
    assert.ok(map?.kind === 'chart' && map.data.type === 'cells');
    const gaps = (count: number) => Array.from({ length: count }, () => null);
    assert.deepEqual(map.data.values, [
      Array.from({ length: 64 }, (_, i) => (2 * i + 2) / 128),
      [0, 0, 0, ...gaps(61)],
      [0.25, 1, ...gaps(62)],
    ]);
  });

  it('without quantized layers shows that nothing was lost', async () => {
    const names = [...uniformPolicy(graph, 'W8A8').schemes.keys()];
    const policy = { schemes: new Map(), excluded: new Set(names) };
    const document = await documentOf(kind, await profile(graph, samples, { policy }));
    assert.equal(document.lead, 'No layer is quantized.');
    checkDocument(document, names);
    assert.match(terminalReport(document), / exact /);
  });

  it('refuses JSON of another shape, naming the field', () => {
    const refusal = (error: unknown) => error instanceof InvalidArgumentError && /policy/.test(error.message);
    assert.throws(() => kind.check({ schema: 'faultline.profile/1', model: 'm' }), refusal);
  });
});
