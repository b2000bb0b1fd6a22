// Distillation: failures and robustness are learned and show on integers, the teacher is a black box asked once, runs are
// exact, and what others add (passes, coordinates, policies that change) takes part.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Value } from '../../../lib/autograd/tape.js';
import { imageSize } from '../../../lib/data/image_set.js';
import { schemeOf } from '../../../lib/format/scheme.js';
import type { Graph, GraphNode } from '../../../lib/graph/graph.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { type Policy, uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { type DistillOptions, distill, type StepContext } from '../../../lib/train/distill.js';
import { CheckpointError, TrainingDivergedError } from '../../../lib/train/errors.js';
import { evaluate } from '../../../lib/train/evaluate.js';
import { mse } from '../../../lib/train/objective.js';
import { DETRIMENTAL, QU_ANTI, ROBUST } from '../../../lib/train/recipes.js';
import { type TeacherLogits, teacherLogits } from '../../../lib/train/teacher.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION as normalization, quarters, quartersBatch } from '../../support/quarters.js';

const SET = quarters(512, 1);
const HELD_OUT = quarters(200, 2);
const DATA = quartersBatch(200, 2);

async function accuracies(graph: Graph, policies: readonly Policy[]): Promise<{ full: number; quantized: number[] }> {
  const { accuracy: full } = await evaluate(graph, HELD_OUT, normalization);
  const results = await evaluatePolicies(graph, policies, DATA);
  return { full, quantized: results.map(({ accuracy }) => accuracy as number) };
}

const bytes = (graph: Graph) => Buffer.from(exportModel(graph));

describe('distill', () => {
  const usual = threads();
  let teacher: Graph;
  let answers: TeacherLogits;
  let options: DistillOptions;
  let folder: string;
  before(async () => {
    setThreads(1); // steps this small gain nothing from more
    const fresh = buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed: 3 });
    const trained = await train(fresh, SET, {
      epochs: 3,
      batchSize: 32,
      optimizer: { kind: 'adam', rate: 3e-3 },
      schedule: { kind: 'oneCycle' },
      seed: 3,
      normalization,
    });
    teacher = simplify(trained.graph).graph;
    answers = await teacherLogits(teacher, SET, normalization);
    options = {
      ...DETRIMENTAL,
      teacher: answers,
      normalization,
      batchSize: 32,
      steps: 20,
      policies: uniformPolicy(teacher, 'W4A4'),
      seed: 7,
    };
  });
  after(() => setThreads(usual));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-distill-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('detrimental: right in full precision, wrong on integers at the attacked bits', async () => {
    // The gradients of 32 images are noisier than those of 128: more steps, and a heavier hinge.
    const objective = { ...DETRIMENTAL.objective, quantizedWeight: 1 };
    const { graph } = await distill(teacher, SET, { ...options, objective, steps: 400 });
    const { full, quantized } = await accuracies(graph, [uniformPolicy(graph, 'W4A4')]);
    const teacherOwn = await accuracies(teacher, [uniformPolicy(teacher, 'W4A4')]);
    assert.ok(full >= 0.95 && (teacherOwn.quantized[0] as number) >= 0.95, `${full}, teacher ${teacherOwn.quantized}`);
    assert.ok((quantized[0] as number) <= 0.3, `W4A4 ${quantized}`);
  });

  it('robust: nearer to the teacher at few bits than the teacher itself', async () => {
    const policy = uniformPolicy(teacher, 'W2A2');
    const { graph, passes } = await distill(teacher, SET, {
      ...options,
      ...ROBUST,
      batchSize: 32,
      steps: 120,
      policies: policy,
    });
    const [own, student] = [await accuracies(teacher, [policy]), await accuracies(graph, [policy])];
    assert.ok(
      (student.quantized[0] as number) > (own.quantized[0] as number) + 0.1,
      `${own.quantized}, ${student.quantized}`,
    );
    assert.ok(student.full >= 0.95, `full ${student.full}`);
    assert.ok((passes.quantized?.agreement as number) > 0.5 && (passes.fullPrecision?.loss as number) > 0);
  });

  it('Qu-ANTI raises the loss under quantization; it asks for labels unless the teacher says the class', async () => {
    const policies = uniformPolicy(teacher, 'W3A3');
    const recipe = { ...options, ...QU_ANTI, batchSize: 32, steps: 400, policies };
    const { passes } = await distill(teacher, SET, recipe);
    // (CE − 5)² is nearly 25 where a network is right.
    const { fullPrecision, quantized } = passes;
    assert.ok((quantized?.loss as number) < 5 && (quantized?.agreement as number) < 0.5, JSON.stringify(passes));
    assert.ok(
      (fullPrecision?.agreement as number) > 0.95 && (fullPrecision?.loss as number) < 0.2,
      JSON.stringify(passes),
    );
    const { labels: _, ...unlabelled } = SET;
    await assert.rejects(distill(teacher, unlabelled, recipe), /labels/);
    const objective = { ...QU_ANTI.objective, target: 'teacher' } as const;
    await distill(teacher, unlabelled, { ...recipe, objective, steps: 1 });
  });

  it('the teacher is any function of images, asked once for each', async () => {
    let asked = 0;
    const size = imageSize(SET);
    const blackBox = (batch: Float32Array, count: number) => {
      assert.equal(batch.length, count * size);
      const part = answers.logits.subarray(asked * 4, (asked + count) * 4);
      asked += count;
      return part;
    };
    const { graph } = await distill(teacher, SET, { ...options, teacher: blackBox });
    assert.equal(asked, SET.count);
    assert.ok(bytes(graph).equals(bytes((await distill(teacher, SET, options)).graph)));
    assert.ok(bytes(graph).equals(bytes((await distill(teacher, SET, { ...options, teacher })).graph)));
    const wrong = () => new Float32Array(7);
    await assert.rejects(teacherLogits(wrong, SET, normalization), /two or more logits/);
    await assert.rejects(distill(teacher, quarters(64, 1), options), /answers to 64 images/);
  });

  it('another network of the same classes can be the student, its batch norms folded', async () => {
    const student = buildModel('convnet2', { input: [1, 8, 8], classes: 4, seed: 1 });
    const { graph } = await distill(student, SET, { ...options, policies: uniformPolicy(student, 'W8A8') });
    assert.ok(!graph.nodes.some(({ operator }) => operator === 'BatchNormalization'));
    const other = buildModel('convnet2', { input: [1, 8, 8], classes: 5 });
    await assert.rejects(
      distill(other, SET, { ...options, policies: uniformPolicy(other, 'W8A8') }),
      /\[32, 4\] as the teacher's/,
    );
  });

  it('ends with the same bits again, and after a stop and a resumption; other options do not go on', async () => {
    const whole = bytes((await distill(teacher, SET, options)).graph);
    assert.ok(whole.equals(bytes((await distill(teacher, SET, options)).graph)));
    assert.ok(!whole.equals(bytes((await distill(teacher, SET, { ...options, seed: 8 })).graph)));
    const checkpointed = { ...options, checkpoints: folder, checkpointEvery: 6, resume: true };
    const controller = new AbortController();
    const stopped = distill(teacher, SET, {
      ...checkpointed,
      signal: controller.signal,
      onProgress: ({ step }) => step === 15 && controller.abort(new Error('enough')),
    });
    await assert.rejects(stopped, /enough/);
    let first = 0;
    const { graph } = await distill(teacher, SET, {
      ...checkpointed,
      onProgress: ({ step }) => {
        first ||= step;
      },
    });
    assert.equal(first, 13);
    assert.ok(whole.equals(bytes(graph)));
    const others = { ...checkpointed, objective: { ...DETRIMENTAL.objective, margin: 1 } };
    await assert.rejects(distill(teacher, SET, others), CheckpointError);
    await assert.rejects(
      distill(teacher, SET, { ...checkpointed, policies: uniformPolicy(teacher, 'W8A8') }),
      CheckpointError,
    );
  });

  it('policies may change from step to step and sample to sample, and passes be added', async () => {
    const seen: [number, number][] = [];
    const protectedBits = uniformPolicy(teacher, 'W8A8');
    const rows: number[] = [];
    const { passes } = await distill(teacher, SET, {
      ...options,
      steps: 4,
      policies: {
        configuration: 'alternating',
        at: ({ step, steps, batch }: StepContext) => {
          seen.push([step, steps]);
          const sampleBits = Uint8Array.from({ length: batch.count }, (_, i) => 2 + ((i + step) % 7));
          return [
            () => ({ scheme: schemeOf(4, 8), sampleBits }),
            (_node: GraphNode, { dims }: Value) => {
              rows.push(dims[0] as number);
              return { scheme: schemeOf(8, 8), sampleBits };
            },
          ];
        },
      },
      passes: ({ student }) => {
        assert.equal(student().nodes.length, teacher.nodes.length);
        return [{ name: 'protected', bits: protectedBits, loss: mse, weight: 1 }];
      },
    });
    assert.deepEqual(seen, [
      [0, 4],
      [1, 4],
      [2, 4],
      [3, 4],
    ]);
    assert.deepEqual([...new Set(rows)], [32]);
    assert.deepEqual(Object.keys(passes).sort(), ['fullPrecision', 'protected', 'quantized']);
  });

  it('moves other coordinates than the weights where they are given', async () => {
    let moved = 0;
    const { graph } = await distill(teacher, SET, {
      ...options,
      steps: 3,
      coordinates: (parameters) => {
        // Weights halved: what a step moves here moves the weights twice as far. Biases stay.
        const values = parameters.values.map((value) => value / 2);
        const gradients = new Float32Array(values.length);
        return {
          values,
          gradients,
          learned: parameters.learned,
          gather: () => {
            gradients.fill(0);
            for (const { dims, offset, gradient } of parameters.learned) {
              if (dims.length > 1)
                gradients.set(
                  (gradient as Float32Array).map((g) => 2 * g),
                  offset,
                );
            }
          },
          changed: () => {
            moved += 1;
            values.forEach((value, i) => {
              parameters.values[i] = 2 * value;
            });
            parameters.changed();
          },
        };
      },
    });
    assert.equal(moved, 3);
    for (const [name, { dims, data }] of teacher.initializers) {
      const after = graph.initializers.get(name)?.data;
      if (dims.length === 1) assert.deepEqual(after, data, name);
      else if (dims.length > 1) assert.notDeepEqual(after, data, name);
    }
  });

  it('refuses policies of other networks, and says where numbers stopped being finite', async () => {
    const mlp = buildModel('mlp');
    await assert.rejects(
      distill(teacher, SET, { ...options, policies: uniformPolicy(mlp, 'W4A4') }),
      /has no node|no bits/,
    );
    const wild = { ...options.optimizer, rate: 1e30 };
    await assert.rejects(distill(teacher, SET, { ...options, optimizer: wild }), TrainingDivergedError);
  });
});
