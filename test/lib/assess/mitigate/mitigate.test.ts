// Mitigation: each cure against the failure it is for, and beside a failure that it cannot help with, where it has to say so.

import assert from 'node:assert/strict';
import { Measurer } from '../../../../lib/assess/measure/measurer.js';
import { biasCorrection, correctBiases, outputErrors } from '../../../../lib/assess/mitigate/bias_correction.js';
import { centralRange, clippedError } from '../../../../lib/assess/mitigate/clipping.js';
import { quantizedAnswers } from '../../../../lib/assess/mitigate/cure.js';
import { CURE_NAMES, type CureName, type MitigateOptions, mitigate } from '../../../../lib/assess/mitigate/mitigate.js';
import { evenPolicy, repairPolicy } from '../../../../lib/assess/mitigate/policy_repair.js';
import { imageSamples } from '../../../../lib/assess/samples.js';
import { corrupt } from '../../../../lib/data/corruptions.js';
import { evaluationData } from '../../../../lib/data/evaluation_data.js';
import type { ImageSet } from '../../../../lib/data/image_set.js';
import { formatScheme, schemeOf } from '../../../../lib/format/scheme.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { exportModel } from '../../../../lib/graph/onnx/export.js';
import { importModel } from '../../../../lib/graph/onnx/import.js';
import { countedBits } from '../../../../lib/policy/effective_bits.js';
import { type Policy, uniformPolicy } from '../../../../lib/policy/policy.js';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind, mitigateResult } from '../../../../lib/report/kinds/mitigate.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import type { EvaluationData } from '../../../../lib/runtime/evaluate_policies.js';
import { percentScore } from '../../../../lib/tasks/task.js';
import { cellUnits } from '../../../../lib/train/cell_units.js';
import { distill } from '../../../../lib/train/distill.js';
import { fullPrecision } from '../../../../lib/train/full_precision.js';
import { CELL_ATTACK } from '../../../../lib/train/recipes.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const SIZES = { calibration: 120, validation: 200, steps: 12, seed: 5 } as const;
const images = blobs(320, 21);

const logitsOf = async (graph: Graph, set: ImageSet) => (await fullPrecision(graph, evaluationData(set, PLAIN))).logits;

describe('mitigate', () => {
  let graph: Graph;
  /** Channels at scales that leave most of them no codes: a gauge failure. */
  let gauge: Graph;
  before(async () => {
    graph = await trainedOnBlobs();
    gauge = disparate(graph, 4096);
  });

  const run = (network: Graph, options: Partial<MitigateOptions> & { bits?: string }, set = images) => {
    const { bits = 'W8A8', ...rest } = options;
    return mitigate(network, set, PLAIN, { policy: uniformPolicy(network, bits), ...SIZES, ...rest });
  };
  const only = async (
    network: Graph,
    cure: CureName,
    bits: string,
    more: Partial<MitigateOptions> = {},
    set = images,
  ) => {
    const { cures } = await run(network, { cures: [cure], bits, ...more }, set);
    assert.deepEqual(
      cures.map((one) => one.cure),
      [cure],
    );
    return cures[0] as (typeof cures)[number];
  };

  it('recognises a gauge failure, equalizes it, and leaves full precision unchanged to the last bit', async () => {
    const result = await run(gauge, {});
    assert.ok(result.diagnosis.failures.includes('gauge'), result.diagnosis.reasons.join());
    assert.ok((result.before.clean ?? 100) < 90, `${result.before.clean}`);
    assert.ok((result.after.clean ?? 0) > 97, `${result.after.clean}`);
    assert.deepEqual(
      result.cures.map(({ cure }) => cure),
      CURE_NAMES,
    );
    assert.deepEqual(await logitsOf(result.graph, images), await logitsOf(gauge, images));
  });

  it('recognises a learned failure, and trains the network unchanged: neither equalized nor corrected before', async () => {
    const policy = uniformPolicy(graph, 'W3A3');
    const { graph: learned } = await distill(graph, blobs(480, 7), {
      ...CELL_ATTACK,
      ...{ steps: 150, batchSize: 32, seed: 1, normalization: PLAIN, teacher: graph, policies: policy },
      coordinates: cellUnits(graph, policy),
    });
    const { diagnosis, cures, before, after } = await run(learned, { bits: 'W3A3', steps: 40 });
    assert.ok(
      diagnosis.failures.includes('learned') && !diagnosis.failures.includes('gauge'),
      diagnosis.reasons.join(),
    );
    const applied = cures.filter((cure) => cure.applied).map(({ cure }) => cure);
    assert.equal(applied[0], 'short QAT');
    assert.ok((before.clean ?? 100) < 60 && (after.clean ?? 0) > 95, `${before.clean} → ${after.clean}`);
  });

  it('gives the same network again from the same seed, and looks at no label', async () => {
    const options = { cures: ['equalization', 'short QAT'] as const, bits: 'W4A4' };
    const first = await run(gauge, options);
    const wrong = { ...images, labels: new Int32Array(images.count).fill(3) };
    const second = await run(gauge, options, wrong);
    assert.deepEqual(exportModel(second.graph), exportModel(first.graph));
  });

  it('keeps no cure of a healthy network, and says why', async () => {
    const result = await run(graph, { cures: CURE_NAMES });
    const touched = result.cures.filter(({ cure, kept }) => kept && cure !== 'range guard');
    assert.deepEqual(touched, []);
    for (const { cure, what } of result.cures) assert.ok(what.length > 0, cure);
  });

  it('auto applies no cure of a failure that is not there', async () => {
    const { cures, diagnosis } = await run(graph, {});
    assert.ok(!diagnosis.failures.includes('gauge') && !diagnosis.failures.includes('learned'));
    for (const { cure, applied } of cures)
      assert.equal(applied, cure === 'range guard' && diagnosis.failures.length > 0);
  });

  for (const cure of ['bias correction', 'clip percentile', 'clip MSE', 'range guard'] as const) {
    it(`${cure} is reported as no help for channels at different scales`, async () => {
      const { kept, before, after } = await only(gauge, cure, 'W8A8');
      assert.equal(kept, false);
      assert.ok((before.clean ?? 100) < 90 && (after.clean ?? 100) < 90, `${before.clean} ${after.clean}`);
    });
  }

  it('equalization is reported as no help against a bright pixel', async () => {
    const { kept, before, after } = await only(graph, 'equalization', 'W4A4');
    assert.equal(kept, false);
    assert.ok(Math.abs((after.brightPixel ?? 0) - (before.brightPixel ?? 0)) < 20);
  });

  it('the range guard takes a bright pixel its hold, but not where images have such pixels themselves', async () => {
    const helped = await only(graph, 'range guard', 'W4A4');
    assert.equal(helped.kept, true);
    assert.ok((helped.after.brightPixel ?? 0) > (helped.before.brightPixel ?? 100) + 10);
    assert.equal(helped.after.clean, helped.before.clean);
    const bright = await corrupt(images, 'bright_pixel', { strength: 16 }, { seed: 3, normalization: PLAIN });
    assert.equal((await only(graph, 'range guard', 'W4A4', {}, bright)).kept, false);
  });

  it('channel rescue takes outlier channels apart, and is reported as no help where bits suffice or nothing stands out', async () => {
    const { cures, policy, graph: rescued } = await run(gauge, { cures: ['channel rescue'], bits: 'W4A4' });
    const [helped] = cures;
    assert.ok(helped?.kept, `${helped?.what}: ${helped?.before.clean} → ${helped?.after.clean}`);
    assert.ok((helped?.after.clean ?? 0) > (helped?.before.clean ?? 100) + 10);
    const added = [...(policy as Policy).schemes].filter(([name]) => name.endsWith('/apart'));
    assert.ok(added.length > 0);
    for (const [name, scheme] of added) {
      assert.equal(scheme.name, 'W8A8');
      assert.equal(rescued.node(name).operator, rescued.node(name.replace('/apart', '')).operator);
    }
    const enough = await only(disparate(graph, 16), 'channel rescue', 'W8A7');
    assert.deepEqual([enough.applied, enough.kept], [true, false]);
    for (const [own, bits] of [
      [graph, 'W4A4'],
      [gauge, 'W4A8'],
    ] as const) {
      const none = await only(own, 'channel rescue', bits);
      assert.deepEqual([none.applied, none.kept], [false, false], none.what);
    }
  });

  it('short QAT repairs channels a little apart, and is reported as no help when they are far apart', async () => {
    const few = await only(disparate(graph, 8), 'short QAT', 'W2A2', { steps: 40 });
    assert.ok(few.kept, `${few.before.clean} → ${few.after.clean}`);
    const far = await only(gauge, 'short QAT', 'W4A4');
    assert.deepEqual([far.applied, far.kept], [true, false]);
  });

  it('policy repair stays within the bits allowed, and has none to give at eight', async () => {
    const mild = disparate(graph, 8);
    const policy = uniformPolicy(mild, 'W2A2');
    const samples = imageSamples(graph, images, PLAIN);
    const classes = (await fullPrecision(graph, evaluationData(images, PLAIN))).answers as Int32Array;
    const measurer = new Measurer(mild);
    const repaired = await repairPolicy(measurer, samples, classes, policy, 1).finally(() => measurer.dispose());
    const bits = (one: Policy) => [...one.schemes.values()].reduce((sum, own) => sum + countedBits(own, 'both'), 0);
    const added = bits(repaired.policy) - bits(policy);
    assert.ok(added > 0 && added <= 2 * policy.schemes.size, `${added}`);
    assert.ok(repaired.raises.every(({ gain }) => gain > 0));
    const agreement = async (own: Policy) =>
      percentScore(samples.task, await quantizedAnswers({ graph: mild, policy: own }, samples), classes);
    const gain = repaired.raises.reduce((sum, raise) => sum + raise.gain, 0);
    assert.ok(Math.abs((await agreement(repaired.policy)) - (await agreement(policy)) - gain) < 1e-9);
    for (const bits of ['W4A4', 'W8A8']) {
      const none = await only(gauge, 'policy repair', bits, { moreBits: 1 });
      assert.deepEqual([none.applied, none.kept], [false, false], bits);
    }
  });

  it('policy repair deals the same bits evenly, and is reported as no help where that is coarser', async () => {
    const names = [...uniformPolicy(graph, 'W8A8').schemes.keys()];
    const dealt = (...bits: number[]): Policy => ({
      schemes: new Map(names.map((name, i) => [name, schemeOf(bits[i] as number, bits[i] as number)])),
      excluded: new Set(),
    });
    assert.equal(names.length, 3);
    assert.equal([...(evenPolicy(dealt(8, 8, 2))?.schemes.values() ?? [])][0]?.name, 'W6A6');
    assert.equal(evenPolicy(dealt(4, 4, 4)), undefined);
    const weak = disparate(graph, 64);
    const helped = await run(weak, { cures: ['policy repair'], policy: dealt(8, 8, 2) });
    assert.ok(helped.cures[0]?.kept, `${helped.before.clean} → ${helped.after.clean}`);
    assert.equal(new Set([...(helped.policy as Policy).schemes.values()].map(formatScheme)).size, 1);
    // Training for bits that are given up is taken back: full precision is as it was.
    const trained = await run(weak, { cures: ['short QAT', 'policy repair'], policy: dealt(8, 8, 2), steps: 60 });
    assert.deepEqual(
      trained.cures.map(({ kept, takenBack }) => [kept, takenBack]),
      [
        [false, true],
        [true, false],
      ],
    );
    assert.match(trained.cures[1]?.what ?? '', /W6A6 everywhere; the network as it was before training/);
    assert.deepEqual(await logitsOf(trained.graph, images), await logitsOf(weak, images));
    const none = await only(weak, 'policy repair', 'W8A8', { policy: dealt(2, 8, 8) });
    assert.deepEqual([none.applied, none.kept], [false, false], none.what);
  });

  it('bias correction leaves no channel a mean error on the images it was made from', async () => {
    const candidate = { graph, policy: uniformPolicy(graph, 'W3A3') };
    const data: EvaluationData = evaluationData(images, PLAIN);
    const errors = outputErrors(candidate, data);
    assert.equal(errors.size, candidate.policy.schemes.size);
    const largest = (all: ReadonlyMap<string, Float64Array>) =>
      Math.max(...[...all.values()].flatMap((own) => [...own].map(Math.abs)));
    // Of the logits: every product before them has been corrected too.
    const corrected = { ...candidate, graph: correctBiases(graph, errors) };
    const mean = (logits: Float32Array, classes: number) =>
      Array.from({ length: classes }, (_, k) =>
        logits.reduce((sum, value, i) => sum + (i % classes === k ? value : 0), 0),
      );
    const quantized = async (own: typeof candidate) => {
      const measurer = new Measurer(own.graph);
      const parts: Float32Array[] = [];
      const visit = (_policy: number, logits: Float32Array) => parts.push(logits.slice());
      const samples = imageSamples(graph, images, PLAIN);
      await measurer.visit(samples, [own.policy], visit).finally(() => measurer.dispose());
      return parts[0] as Float32Array;
    };
    const wanted = mean(await logitsOf(graph, images), 4);
    const off = async (own: typeof candidate) =>
      Math.max(...mean(await quantized(own), 4).map((sum, k) => Math.abs(sum - (wanted[k] as number)) / images.count));
    assert.ok(largest(errors) > 1e-2, `${largest(errors)}`);
    // Codes at the edge of rounding fall otherwise once means are taken off biases in float32: far less than the error.
    assert.ok(
      (await off(corrected)) < 0.05 * (await off(candidate)),
      `${await off(corrected)} ${await off(candidate)}`,
    );
    assert.equal(biasCorrection.scene, 'clean');
  });

  it('clips where squared error is least: far out for eight bits, further in for three', () => {
    // Half of the values at one place, tails of a few.
    const row = Float32Array.from({ length: 2000 }, (_, i) => (i < 4 ? 40 : (i % 100) / 100));
    const sorted = row.slice().sort();
    const [low, high] = centralRange(sorted, 0.99);
    assert.equal(low, 0);
    assert.ok(high < 1);
    const whole = [0, 40] as const;
    const gain = (bits: number) =>
      clippedError({ bits, rows: [row] }, whole) - clippedError({ bits, rows: [row] }, [low, high]);
    // Cutting costs 4 · 39²; no bits justify that here.
    assert.ok(gain(3) < 0);
    const mild = row.map((value) => Math.min(value, 2));
    const mildGain = (bits: number) =>
      clippedError({ bits, rows: [mild] }, [0, 2]) - clippedError({ bits, rows: [mild] }, [0, high]);
    assert.ok(mildGain(2) > 0, `${mildGain(2)}`);
    assert.ok(mildGain(8) < 0, `${mildGain(8)}`);
  });

  it('writes a network that a file keeps, and a report that the schema takes', async () => {
    const result = await run(gauge, {});
    const read = importModel(exportModel(result.graph)).graph;
    assert.deepEqual(await logitsOf(read, images), await logitsOf(result.graph, images));
    const judgement = { measure: 'agreement', images: 200, fp: 100, fpAfter: 100, before: 30, after: 99 } as const;
    const judgements = { clean: judgement, brightPixel: judgement };
    const printed = mitigateResult({ model: 'gauge.onnx', policy: 'W8A8', seed: 0 }, result, judgements);
    const document = await documentOf(kind, printed);
    const cures = tablesOf(document).find(({ name }) => name === 'mitigation');
    assert.equal(cures?.rows.length, CURE_NAMES.length + 2);
    checkDocument(document, ['What is wrong', 'equalization', 'range guard']);
    const text = terminalReport(document).split('\n');
    assert.ok(text.some((line) => /^- equalization: kept, \d+\.\d % → \d+\.\d % agree; /.test(line)));
    // Reasons are reported once.
    assert.equal(text.filter((line) => line.includes('(nothing left to repair')).length, 1);
  });

  it('refuses what is no cure, and too few images', async () => {
    await assert.rejects(
      run(graph, { cures: ['prayer' as CureName] }),
      /mitigate: cures: expected equalization, .*, received prayer/,
    );
    await assert.rejects(run(graph, { calibration: 400 }), /calibration/);
    await assert.rejects(
      mitigate(graph, blobs(11, 1), PLAIN, { policy: uniformPolicy(graph, 'W4A4') }),
      /mitigate: images: expected at least 12: half judge, received 11/,
    );
    const aborted = AbortSignal.abort(new Error('enough'));
    await assert.rejects(run(graph, { signal: aborted }), /enough/);
  });
});
