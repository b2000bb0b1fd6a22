// Points of highest vulnerability: what is said of layers, pairs, channels and classes is what the integers do.
import assert from 'node:assert/strict';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { excluding } from '../../../../lib/assess/measure/sensitivity.js';
import { imageSamples } from '../../../../lib/assess/samples.js';
import { type Vulnerable, vulnerable } from '../../../../lib/assess/vulnerable/vulnerable.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind, sizeText, vulnerableResult } from '../../../../lib/report/kinds/vulnerable.js';
import { classification } from '../../../../lib/tasks/classification.js';
import { type Answers, percentScore } from '../../../../lib/tasks/task.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

const images = blobs(120, 9);
/** Two shares subtracted and added again, in float64. */
const ROUNDED = 1e-9;

import { checkDocument, documentOf } from '../../../support/documents.js';

describe('vulnerable', () => {
  let graph: Graph;
  let policy: Policy;
  let found: Vulnerable;
  before(async () => {
    graph = disparate(await trainedOnBlobs(), 256);
    policy = uniformPolicy(graph, 'W4A4');
    const more = { pairs: true, channels: 3, changes: ['pixel'], searched: 30 } as const;
    found = await vulnerable(graph, images, PLAIN, { policy, seed: 2, ...more });
  });

  it('restores layers one at a time and two at a time, and reports what two do beyond each', async () => {
    const names = [...policy.schemes.keys()];
    assert.deepEqual(
      found.layers.map(({ node }) => node),
      names,
    );
    assert.equal(found.pairs.length, (names.length * (names.length - 1)) / 2);
    const alone = new Map(found.layers.map(({ node, restored }) => [node, restored]));
    const measurer = new Measurer(graph);
    try {
      for (const { nodes, restored, interaction } of found.pairs) {
        const [outcome] = await measurer.run(imageSamples(graph, images, PLAIN), [excluding(policy, nodes)]);
        const share = percentScore(classification, outcome?.answers as Answers, images.labels as Int32Array);
        assert.ok(Math.abs(share - found.quantized - restored) < ROUNDED);
        const [a, b] = nodes.map((node) => alone.get(node) as number) as [number, number];
        assert.ok(Math.abs(restored - a - b - interaction) < ROUNDED);
      }
    } finally {
      measurer.dispose();
    }
  });

  it('ranks channels by noise in full precision, and says what each wins back alone', () => {
    const shares = found.channels.map(({ share }) => share);
    assert.equal(shares.length, 3);
    assert.deepEqual(
      shares,
      shares.toSorted((a, b) => b - a),
    );
    assert.ok(shares.every((share) => share > 0 && share < 1));
    for (const { node, restored } of found.channels) {
      assert.ok(policy.schemes.has(node));
      assert.ok(Math.abs(restored) <= 100);
    }
  });

  it('counts classes and inputs', () => {
    const { classes = [], inputs, worst } = found;
    const right = classes.reduce((sum, { quantized }) => sum + quantized, 0);
    assert.ok(Math.abs((100 * right) / images.count - found.quantized) < ROUNDED);
    assert.equal(inputs.points.length, images.count);
    assert.deepEqual(
      worst.map(({ change }) => change),
      ['pixel'],
    );
  });

  it('goes without labels: agreement, and no worst input', async () => {
    const { count, height, width, channels, pixels } = images;
    const bare = { count, height, width, channels, pixels };
    const options = { policy, changes: ['pixel'], channels: 0, seed: 2 } as const;
    const { measure, fullPrecision, classes, worst, channels: none } = await vulnerable(graph, bare, PLAIN, options);
    assert.deepEqual([measure, fullPrecision, classes, worst, none], ['agreement', 100, undefined, [], []]);
  });

  it('makes a document with a picture for each input shown', async () => {
    const scene = { images, normalization: PLAIN, classNames: ['one', 'two', 'three', 'four'] };
    const document = await documentOf(kind, vulnerableResult({ ...found, model: 'model.onnx' }, scene));
    checkDocument(document, ['By layer', 'Worst inputs']);
    assert.deepEqual(
      document.sections.map(({ id }) => id),
      ['layers', 'channels', 'classes', 'inputs', 'worst'],
    );
    const tables = tablesOf(document).map(({ name }) => name);
    assert.deepEqual(tables, ['restored', 'layers', 'pairs', 'channels', 'classes', 'inputs', 'worst']);
    const pictures = document.sections.flatMap(({ blocks }) => blocks.filter(({ kind }) => kind === 'pictures'));
    assert.equal(pictures.length, (found.worst[0]?.found.length ?? 0) > 0 ? 2 : 1);
    assert.equal(sizeText('linf', 1 / 255), 'all pixels ±1.00 of 255');
  });

  it('refuses a policy that quantizes nothing, before any work', async () => {
    const none = uniformPolicy(graph, 'W4A4', { excluded: [...policy.schemes.keys()] });
    await assert.rejects(vulnerable(graph, images, PLAIN, { policy: none }), /policy: expected bits for a node/);
  });

  it('stops when it is called off', async () => {
    const signal = AbortSignal.abort(new Error('enough'));
    await assert.rejects(vulnerable(graph, images, PLAIN, { policy, signal }), /enough/);
  });
});
