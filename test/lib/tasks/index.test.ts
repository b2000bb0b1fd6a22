// A task whose scores are graded and whose answers are no classes: what measures asks the task, what needs classes refuses it.
import assert from 'node:assert/strict';
import { DEFAULT_THRESHOLDS, figuresOf } from '../../../lib/assess/measure/figures.js';
import { Measurer, type PolicyAnswers } from '../../../lib/assess/measure/measurer.js';
import { sensitivityOf } from '../../../lib/assess/measure/sensitivity.js';
import type { Samples } from '../../../lib/assess/samples.js';
import { scan } from '../../../lib/assess/scan/scan.js';
import { assess } from '../../../lib/assess/verdict/assess.js';
import { rankVulnerability } from '../../../lib/assess/vulnerable/vulnerability.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { choicesOf } from '../../../lib/search/runner.js';
import { TASKS } from '../../../lib/tasks/index.js';
import { graded } from '../../../lib/tasks/scoring.js';
import type { Task } from '../../../lib/tasks/task.js';
import { twoProducts, vectors } from '../../support/product_network.js';

/** Rows of outputs: the score is the cosine, 0 below. */
const rows: Task<Float32Array[]> = {
  ...graded,
  name: 'rows',
  help: 'vectors',
  measures: { accuracy: 'cosine', agreement: 'cosine with full precision' },
  keeps: 'keep their direction',
  doubt: () => undefined,
  answers: (outputs, samples) =>
    Array.from({ length: samples }, (_, i) => {
      const width = outputs.length / samples;
      return outputs.slice(i * width, (i + 1) * width);
    }),
  take: (answers, samples) => Array.from(samples, (i) => answers[i] as Float32Array),
  join: (parts) => parts.flat(),
  print: (_, sample) => `row ${sample}`,
  badLabel: () => undefined,
  scores: (answers, expected) =>
    Float32Array.from(answers, (a, i) => {
      const b = expected[i] as Float32Array;
      const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, value, k) => sum + value * (y[k] as number), 0);
      const [size, expectedSize] = [dot(a, a), dot(b, b)];
      if (size * expectedSize === 0) return size === expectedSize ? 1 : 0;
      return Math.min(1, Math.max(0, dot(a, b) / Math.sqrt(size * expectedSize)));
    }),
  support: () => 0.5,
};

describe('tasks', () => {
  const graph = twoProducts();
  const withTask = (samples: Samples): Samples => ({
    ...samples,
    task: rows,
    labels: undefined,
    take: (indices) => withTask(samples.take(indices)),
    *batches(size) {
      for (const batch of samples.batches(size)) yield { ...batch, task: rows, labels: undefined };
    },
  });
  const samples = withTask(vectors(graph, 60));
  const policy = uniformPolicy(graph, 'W2A2');

  it('by their names', () => {
    assert.deepEqual(
      [...TASKS].filter(([name, task]) => task.name !== name),
      [],
    );
  });

  it('graded scores go through figures, sensitivity and a whole assessment', async () => {
    const measurer = new Measurer(graph);
    try {
      const outcomes = await measurer.run(samples, [
        { schemes: new Map(), excluded: new Set(policy.schemes.keys()) },
        policy,
      ]);
      const [fp, quantized] = outcomes as [PolicyAnswers, PolicyAnswers];
      const figures = figuresOf(rows, fp, quantized, undefined, DEFAULT_THRESHOLDS);
      assert.equal(figures.margins, undefined);
      assert.ok(figures.drop > 0 && figures.drop < 100, String(figures.drop));
      assert.ok(figures.interval[0] <= figures.drop && figures.drop <= figures.interval[1]);
      const layers = await sensitivityOf(measurer, samples, fp.answers, policy);
      assert.ok(layers.every(({ drop }) => drop >= 0));
    } finally {
      measurer.dispose();
    }
    const result = await assess(graph, samples, { policies: ['W8A8', 'W2A2'], evaluations: 2 });
    assert.deepEqual(
      [result.task, result.measured, result.fp.classes],
      ['rows', 'cosine with full precision', undefined],
    );
    assert.match(result.reasons.join('\n'), /% keep their direction/);
  });

  it('what needs classes says so', async () => {
    const refused = /task: expected one whose answers are classes.*received rows/;
    await assert.rejects(scan(graph, samples), refused);
    await assert.rejects(rankVulnerability(graph, samples, { policy }), refused);
    const [data] = samples.batches(60);
    await assert.rejects(choicesOf(graph, data as never), refused);
  });
});
