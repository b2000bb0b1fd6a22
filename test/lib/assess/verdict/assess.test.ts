// Assessments: the verdict on networks of a known kind, what is saved and gone on with, and data at the edges.
import assert from 'node:assert/strict';
import type { PolicyFigures } from '../../../../lib/assess/measure/figures.js';
import { imageSamples, type Samples, splitSamples } from '../../../../lib/assess/samples.js';
import { type AssessOptions, assess } from '../../../../lib/assess/verdict/assess.js';
import type { Remedy } from '../../../../lib/assess/verdict/remedies.js';
import type { AssessResult } from '../../../../lib/assess/verdict/result.js';
import type { AssessStore } from '../../../../lib/assess/verdict/timed.js';
import { verdictOf } from '../../../../lib/assess/verdict/verdict.js';
import { InvalidArgumentError } from '../../../../lib/core/errors.js';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import { GraphError } from '../../../../lib/graph/errors.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { uniformPolicy } from '../../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../../lib/runtime/evaluate_policies.js';
import { blobs, disparate, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';

const FEW: AssessOptions = { evaluations: 8, thresholds: { maxDrop: 3 } };

/** Figures alone: without what was timed. */
function untimed({ seconds: _, estimate: __, ...result }: AssessResult) {
  return result;
}

/** Lets time pass, in milliseconds: what a test sees of it does not depend on the machine's speed. */
function block(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** Stages in memory, as a run's directory keeps them: through JSON. */
class MemoryStore implements AssessStore {
  readonly kept = new Map<string, string>();
  readonly computed: string[] = [];
  async stage<Result>(name: string, compute: () => Promise<Result>): Promise<Result> {
    if (!this.kept.has(name)) {
      this.kept.set(name, JSON.stringify(await compute()));
      this.computed.push(name);
    }
    return JSON.parse(this.kept.get(name) as string) as Result;
  }
}

describe('assess', () => {
  let graph: Graph;
  let samples: Samples;
  let result: AssessResult;
  before(async () => {
    graph = await trainedOnBlobs();
    samples = imageSamples(graph, blobs(400), PLAIN);
    result = await assess(graph, samples, FEW);
  });

  it('calls a network safe that no policy harms, with the evidence', () => {
    assert.equal(result.verdict, 'safe', result.reasons.join('\n'));
    assert.equal(
      result.answer,
      'W8A8, W4A8, W8A4, W4A4 and the worst policy of 5.33 bits lose at most 3.00 points, ' +
        'with a weight scale a channel and an activation range a sample, ' +
        "and by ONNX Runtime's default (a weight scale a tensor, an activation range a batch)",
    );
    assert.deepEqual(
      result.policies.map(({ name }) => name),
      ['W8A8', 'W4A8', 'W8A4', 'W4A4', 'worst found', 'best found'],
    );
    assert.ok((result.fp.accuracy ?? 0) > 95);
    for (const { drop, interval, accuracy, level } of result.policies) {
      assert.ok(interval[0] <= drop && drop <= interval[1]);
      assert.ok(Math.abs((result.fp.accuracy ?? 0) - (accuracy ?? 0) - drop) < 1e-9);
      assert.equal(level, 'safe');
    }
    assert.deepEqual(result.samples, { all: 400, searched: 100, judged: 300, apart: true });
    assert.deepEqual(
      result.sensitivity.map(({ node }) => node),
      [...uniformPolicy(graph, 'W8A8').schemes.keys()],
    );
    assert.equal(result.granularity.length, 2 * 2 * 2);
    assert.equal(result.processors.length, 2);
    assert.equal(result.profile.length, 3);
    assert.deepEqual(result.skipped, []);
    // What full precision alone predicts stands beside what was measured.
    assert.deepEqual(
      result.predicted.map(({ policy, measured }) => [policy, measured]),
      result.policies.slice(0, 4).map(({ name, drop }) => [name, drop]),
    );
    for (const { probability, drop, interval } of result.predicted) {
      assert.ok(probability < 0.5 && interval[0] <= drop && drop <= interval[1]);
    }
  });

  it('judges on samples that nothing was chosen on, as the evaluator does', async () => {
    const [searched, judged] = splitSamples(samples, 100, 0);
    const [batch] = [...judged.batches(300)];
    assert.ok(batch);
    const [own] = await evaluatePolicies(graph, [uniformPolicy(graph, 'W4A4')], batch);
    assert.equal(result.policies[3]?.accuracy, 100 * (own?.accuracy ?? 0));
    const pixels = (part: Samples) => {
      const images: string[] = [];
      for (const { inputs } of part.batches(1)) images.push(inputs.join());
      return images;
    };
    const seen = new Set(pixels(searched));
    assert.equal(seen.size, 100);
    assert.ok(pixels(judged).every((image) => !seen.has(image)));
  });

  it('calls one unsafe whose channels are far apart, names that cause, and measures what undoes it', async () => {
    const apart = disparate(graph, 2 ** 9);
    const found = await assess(apart, samples, FEW);
    assert.equal(found.fp.accuracy, result.fp.accuracy);
    assert.equal(found.verdict, 'unsafe');
    assert.equal(found.subject, 'W8A8');
    assert.match(found.reasons[0] ?? '', /^cause: ranges of channels/);
    const [equalized] = found.remedies;
    assert.equal(equalized?.kind, 'equalize');
    assert.ok((equalized?.drop ?? 100) < 3);
    assert.match(found.advice[0] ?? '', /cross-layer equalization|in float32/);
    const kept = found.remedies.find(({ kind }) => kind === 'keepNodes');
    assert.ok(kept && kept.nodes.length > 0);
    // What does most harm stands first.
    const harm = kept.nodes.map((name) => {
      const own = found.sensitivity.find(({ node }) => node === name);
      return (own?.drop ?? 0) + (own?.restored ?? 0);
    });
    assert.deepEqual(
      harm,
      [...harm].sort((a, b) => b - a),
    );
  });

  it('names the cause by what undoes it: channels, this very grid, or too few bits', () => {
    const [any] = result.policies;
    assert.ok(any);
    const cause = (drop: number, drops: Partial<Record<Remedy['kind'], number>>, flipped = any.margins?.fp.median) => {
      const margins = any.margins && { ...any.margins, flipped };
      const level = drop > 10 ? 'unsafe' : 'caution';
      const failing: PolicyFigures = { ...any, name: 'W4A4', drop, interval: [drop - 1, drop + 1], level, margins };
      const remedies = Object.entries(drops).map(([kind, left]): Remedy => {
        return { ...any, kind: kind as Remedy['kind'], what: kind, nodes: [], drop: left };
      });
      const { reasons, advice } = verdictOf({ ...result, policies: [failing], subject: 'W4A4', remedies });
      assert.ok(advice.every((each) => !each.includes('oneFewerBit')));
      return /^cause: [^.]*/.exec(reasons[0] ?? '')?.[0];
    };
    assert.equal(cause(80, { equalize: 1, oneMoreBit: 1, oneFewerBit: 81 }), 'cause: ranges of channels');
    assert.equal(cause(80, { equalize: 20, oneMoreBit: 1, oneFewerBit: 30 }), 'cause: one rounding grid');
    assert.equal(cause(20, { equalize: 18, oneMoreBit: 4, oneFewerBit: 60 }), 'cause: few bits');
    assert.equal(
      cause(6, { equalize: 5, oneMoreBit: 5, oneFewerBit: 9 }, (any.margins?.fp.median ?? 0) / 8),
      'cause: few bits',
    );
    assert.equal(cause(80, { equalize: 79, oneMoreBit: 79, oneFewerBit: 79 }), undefined);
    assert.equal(cause(2, {}), undefined);
  });

  it('measures agreement with full precision where there are no labels', async () => {
    const { labels: _, ...images } = blobs(200);
    const found = await assess(graph, imageSamples(graph, images, PLAIN), FEW);
    assert.equal(found.measure, 'agreement');
    assert.equal(found.fp.agreement, 100);
    for (const { agreement, drop, accuracy, pValue } of found.policies) {
      assert.equal(accuracy, undefined);
      assert.equal(pValue, undefined);
      assert.ok(Math.abs(100 - agreement - drop) < 1e-9);
    }
    assert.match(found.reasons[0] ?? '', /keep their class/);
  });

  it('resumes from the stages that are kept, to the same result, and shows each as it is done', async () => {
    const whole = untimed(result);
    const store = new MemoryStore();
    const abort = new AbortController();
    const partial: AssessResult[] = [];
    const onResult = (soFar: AssessResult) => {
      partial.push(soFar);
      if (partial.length === 3) abort.abort(new Error('killed'));
    };
    await assert.rejects(assess(graph, samples, { ...FEW, store, signal: abort.signal, onResult }), /killed/);
    assert.deepEqual(store.computed, ['samples', 'policies', 'predicted', 'search', 'found']);
    assert.equal(partial[0]?.policies.length, 4);
    assert.equal(partial[2]?.policies.length, 6);
    const resumed = untimed(await assess(graph, samples, { ...FEW, store }));
    assert.deepEqual(JSON.parse(JSON.stringify(resumed)), JSON.parse(JSON.stringify(whole)));
    assert.equal(new Set(store.computed).size, store.computed.length);
  });

  it('keeps to its time: fewer samples, and stages left out by name', async () => {
    const timeBudget = 0.0015; // seconds; no whole number of milliseconds
    const found = await assess(graph, samples, { ...FEW, timeBudget, onEstimate: () => block(1e4 * timeBudget) });
    assert.ok(found.samples.judged < 300);
    assert.ok(found.skipped.some(({ stage, why }) => stage === 'search' && why === 'time was up'));
    assert.ok(found.skipped.every(({ why }) => /time/.test(why)));
    assert.ok(['safe', 'caution', 'unsafe'].includes(found.verdict));
  });

  it('a search that time cuts short gives the best found so far, and is not kept as if it were whole', async () => {
    const cutShort = async (timeBudget: number) => {
      const store = new MemoryStore();
      // However fast the machine, time is up after the first evaluations.
      const onProgress = ({ stage }: { stage: string }) => {
        if (stage === 'search') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1e3 * timeBudget);
      };
      return { store, found: await assess(graph, samples, { ...FEW, timeBudget, store, onProgress }) };
    };
    // However slow it is, the search begins in time.
    let { store, found } = await cutShort(0.5);
    for (let budget = 2; !found.search && budget < 100; budget *= 4) ({ store, found } = await cutShort(budget));
    assert.ok(found.skipped.some(({ stage, why }) => stage === 'search' && /best so far/.test(why)));
    assert.ok(found.policies.some(({ name }) => name === 'worst found'));
    assert.ok(store.kept.has('policies') && !store.kept.has('search'));
  });

  it('one image, one class, constant images: never safe on so few', async () => {
    const one = blobs(1);
    const same = blobs(30);
    const sets = [one, { ...same, labels: new Int32Array(30) }, { ...same, pixels: new Uint8Array(30 * 144).fill(90) }];
    for (const set of sets) {
      const found = await assess(graph, imageSamples(graph, set, PLAIN), { ...FEW, evaluations: 3 });
      assert.notEqual(found.verdict, 'safe');
      assert.equal(found.samples.apart, false);
      assert.match(found.reasons.join('\n'), /samples only/);
    }
  });

  it('samples on which nothing can be seen: never safe, however many', async () => {
    const many = blobs(200);
    const same = { ...many, labels: new Int32Array(200).fill(1) };
    const constant = { ...many, pixels: new Uint8Array(200 * 144).fill(90) };
    const foreign = { ...many, labels: (many.labels as Int32Array).map((label) => (label + 1) % 4) };
    const cases = [
      [same, /all samples have one label/],
      [constant, /full precision says one class of all samples/],
      [foreign, /are labels and preprocessing those of the model/],
    ] as const;
    for (const [set, reason] of cases) {
      const options: AssessOptions = { search: false, policies: ['W8A8'], thresholds: { maxDrop: 5 } };
      const found = await assess(graph, imageSamples(graph, set, PLAIN), options);
      assert.equal(found.policies[0]?.level, 'safe');
      assert.equal(found.verdict, 'caution');
      assert.match(found.reasons.join('\n'), reason);
    }
  });

  it('relative drops are percent of the accuracy in full precision', async () => {
    const set = blobs(200);
    const labels = (set.labels as Int32Array).map((label, i) => (i % 5 === 0 ? (label + 1) % 4 : label));
    const apart = disparate(graph, 2 ** 9);
    const judged = async (dropType: 'absolute' | 'relative') => {
      const options: AssessOptions = { search: false, policies: ['W8A8'], thresholds: { dropType } };
      return assess(apart, imageSamples(apart, { ...set, labels }, PLAIN), options);
    };
    const { policies, fp, skipped } = await judged('absolute');
    const absolute = policies[0]?.drop ?? 0;
    assert.ok(absolute > 0 && (fp.accuracy ?? 0) < 90);
    const [relative] = (await judged('relative')).policies;
    assert.ok(Math.abs((relative?.drop ?? 0) - (100 * absolute) / (fp.accuracy ?? 0)) < 1e-9);
    assert.deepEqual(skipped, [{ stage: 'search', why: 'not requested' }]);
  });

  it('refuses before any work: policies, budgets, networks without products, samples of another shape', async () => {
    let asked = 0;
    const counted: Samples = {
      ...samples,
      take: (indices) => {
        asked += 1;
        return samples.take(indices);
      },
    };
    const refused = (options: AssessOptions, message: RegExp) =>
      assert.rejects(assess(graph, counted, options), (error: Error) => {
        return (error instanceof InvalidArgumentError || error instanceof GraphError) && message.test(error.message);
      });
    await refused({ policies: ['W9A8'] }, /W2A2 … W8A8/);
    await refused({ search: { bits: 5.1 } }, /effective bits that these choices can have/);
    await refused({ evaluations: 0 }, /evaluations/);
    await refused({ timeBudget: -1 }, /seconds above 0/);
    for (const name of ['maxDrop', 'catastrophe', 'confidence'] as const) {
      await refused({ thresholds: { [name]: Number.NaN } }, new RegExp(`thresholds.${name}: expected .* received NaN`));
    }
    assert.equal(asked, 0);
    const b = new GraphBuilder('none');
    b.output(b.node('relu', 'Relu', [b.input('input', ['N', 1, 12, 12])]));
    const bare = b.build();
    await assert.rejects(assess(bare, imageSamples(bare, blobs(3), PLAIN)), /nodes that can be quantized/);
  });
});
