// Pairs: network and policy learned together fail or hold as asked, on integers, at an exact budget; what is returned was
// chosen on validation images; a stopped run resumes to the same pair.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Loader } from '../../../lib/data/loader.js';
import type { Graph } from '../../../lib/graph/graph.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { effectiveBits } from '../../../lib/policy/effective_bits.js';
import { formatPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { agentNamed } from '../../../lib/search/agents/index.js';
import type { Objective } from '../../../lib/search/judge.js';
import { chooseCandidate, learnPair, type PairOptions, type StaticPairResult } from '../../../lib/search/pair.js';
import { evaluate } from '../../../lib/train/evaluate.js';
import { DETRIMENTAL } from '../../../lib/train/recipes.js';
import { train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION as normalization, quarters } from '../../support/quarters.js';

const SET = quarters(512, 1);
const VALIDATION = quarters(240, 2);

describe('learnPair', () => {
  const usual = threads();
  let teacher: Graph;
  let options: PairOptions;
  let folder: string;
  before(async () => {
    setThreads(1); // steps this small gain nothing from more
    const fresh = buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed: 3 });
    const { graph } = await train(fresh, SET, {
      epochs: 3,
      batchSize: 32,
      optimizer: { kind: 'adam', rate: 3e-3 },
      schedule: { kind: 'oneCycle' },
      seed: 3,
      normalization,
    });
    teacher = simplify(graph).graph;
    options = {
      kind: 'detrimental',
      teacher,
      normalization,
      validation: VALIDATION,
      searchImages: 100,
      space: new BudgetSpace(teacher, { bits: 5.5, choices: ['W3A3', 'W8A8'] }),
      agent: agentNamed('greedy'),
      evaluations: 24,
      repair: 0,
      batchSize: 32,
      seed: 1,
      steps: 24,
    };
  });
  after(() => setThreads(usual));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-pair-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  async function quantizedAccuracy(graph: Graph, { policy }: StaticPairResult): Promise<number> {
    const [batch] = new Loader(VALIDATION, { batchSize: VALIDATION.count, normalization }).epoch(0);
    const data = {
      dims: [VALIDATION.count, 1, 8, 8],
      inputs: batch?.inputs as Float32Array,
      layout: 'channelsLast',
      labels: VALIDATION.labels,
    } as const;
    const [result] = await evaluatePolicies(graph, [policy], data);
    return result?.accuracy as number;
  }

  /** What the result says of itself, measured again. */
  async function checkFigures(result: StaticPairResult): Promise<void> {
    const full = await evaluate(result.graph, VALIDATION, normalization);
    const own = await evaluate(teacher, VALIDATION, normalization);
    assert.equal(result.accuracy, full.accuracy);
    assert.equal(result.gap, own.accuracy - full.accuracy);
    assert.equal(result.quantized, await quantizedAccuracy(result.graph, result));
  }

  it('detrimental: right in full precision, wrong under a policy of the budget; its figures are those of integers', async () => {
    const objective = { ...DETRIMENTAL.objective, quantizedWeight: 1 };
    const result = await learnPair(teacher, SET, { ...options, objective, steps: 300, repair: 20, largestGap: 0.05 });
    assert.equal(effectiveBits(teacher, result.policy), 5.5);
    assert.ok(result.gap <= 0.05 && result.accuracy - result.quantized >= 0.5, JSON.stringify(result.candidates));
    await checkFigures(result);
    // The repair may mend full precision; what is quantized keeps every bit.
    const before = result.candidates.find(({ step }) => step === result.step);
    assert.equal(result.quantized, before?.quantized);
    assert.ok(result.gap <= (before?.gap as number));
    assert.equal(result.rounds.length, 3);
    for (const { policy, evaluations } of result.rounds) {
      assert.ok(options.space.has(policy) && evaluations <= 24);
    }
    assert.equal(formatPolicy(result.policy), formatPolicy(result.rounds.at(-1)?.policy ?? result.policy));
  });

  it('robust: the same code with the other sign holds what the teacher loses', async () => {
    const space = new BudgetSpace(teacher, { bits: 2.4, choices: ['W2A2', 'W4A4'] });
    const own = { kind: 'robust', space, steps: 200, largestGap: 0.05, repair: 20 } as const;
    const result = await learnPair(teacher, SET, { ...options, ...own });
    const lost = (await quantizedAccuracy(teacher, result)) - result.quantized;
    assert.ok(lost < -0.05, `${lost} of the teacher's accuracy under the policy`);
    assert.ok(result.accuracy - result.quantized <= 0.05, JSON.stringify(result.candidates));
    const before = result.candidates.find(({ step }) => step === result.step);
    assert.equal(result.quantized, before?.quantized);
    await checkFigures(result);
  });

  it('returns one of the candidates, which lie at equal distances after the policy is settled', async () => {
    const result = await learnPair(teacher, SET, { ...options, candidates: 4 });
    assert.deepEqual(
      result.candidates.map(({ step }) => step),
      [16, 19, 21, 24],
    );
    assert.ok(result.candidates.some(({ step, quantized }) => step === result.step && quantized === result.quantized));
  });

  it('chooses by drop, where accuracy lost beyond the limit costs a hundred times as much', () => {
    const candidates = [
      { accuracy: 0.9, gap: 0.001, quantized: 0.5 },
      { accuracy: 0.899, gap: 0.002, quantized: 0.2 },
      { accuracy: 0.898, gap: 0.004, quantized: 0.15 },
      { accuracy: 0.88, gap: 0.02, quantized: 0.1 },
    ];
    const choice = (kind: Objective, largestGap: number) =>
      candidates.indexOf(chooseCandidate(candidates, kind, largestGap) as (typeof candidates)[0]);
    assert.deepEqual(
      [1, 0.004, 0.003, 0].map((gap) => choice('detrimental', gap)),
      [3, 2, 1, 1],
    );
    assert.equal(choice('robust', 0.003), 0);
  });

  it('explores, searches and stays: policies are drawn from the budget until the first search, then those found', async () => {
    const agent = agentNamed('random');
    const asked: number[] = [];
    const counting: typeof agent = {
      ...agent,
      search: (judge, own) => {
        asked.push(own.start?.length ?? 0);
        return agent.search(judge, own);
      },
    };
    const plan = { explore: 0.5, settle: 0.75, rounds: 2 };
    const result = await learnPair(teacher, SET, { ...options, ...plan, agent: counting });
    assert.deepEqual(
      result.rounds.map(({ step }) => step),
      [12, 18],
    );
    assert.deepEqual(asked, [0, 1]); // each search begins with what the one before found
  });

  it('a run that was stopped resumes to the same pair, with the searches and candidates it had', async () => {
    const whole = await learnPair(teacher, SET, options);
    const checkpointed = { ...options, checkpoints: folder, checkpointEvery: 2, resume: true };
    const controller = new AbortController();
    const stopped = learnPair(teacher, SET, {
      ...checkpointed,
      signal: controller.signal,
      onProgress: ({ step }) => step === 21 && controller.abort(new Error('enough')),
    });
    await assert.rejects(stopped, /enough/);
    const resumed = await learnPair(teacher, SET, checkpointed);
    assert.ok(Buffer.from(exportModel(resumed.graph)).equals(Buffer.from(exportModel(whole.graph))));
    assert.deepEqual({ ...resumed, graph: 0, seconds: 0 }, { ...whole, graph: 0, seconds: 0 });
    // And once more, when everything was done: candidates come from their files.
    const again = await learnPair(teacher, SET, checkpointed);
    assert.ok(Buffer.from(exportModel(again.graph)).equals(Buffer.from(exportModel(whole.graph))));
  });

  it('refuses plans that make no sense', async () => {
    await assert.rejects(learnPair(teacher, SET, { ...options, explore: 0.7 }), /explore/);
    await assert.rejects(learnPair(teacher, SET, { ...options, rounds: 0 }), /rounds/);
    await assert.rejects(learnPair(teacher, SET, { ...options, searchImages: 0 }), /searchImages/);
    const { labels: _, ...unlabelled } = VALIDATION;
    await assert.rejects(learnPair(teacher, SET, { ...options, validation: unlabelled }), /labels/);
  });
});
