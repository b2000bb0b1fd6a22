// `searchPolicy`: what `faultline search` does, as a function of a network and its data.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { policyFromJson } from '../../../lib/policy/json.js';
import { RunDirectory } from '../../../lib/run/run_directory.js';
import { agentNamed } from '../../../lib/search/agents/index.js';
import { ppoWith } from '../../../lib/search/agents/ppo.js';
import { inputPolicyFromJson } from '../../../lib/search/input_policy_json.js';
import { searchPolicy } from '../../../lib/search/search.js';
import { blobs, budget, graph, SMALL_PPO } from '../../support/blobs.js';

const data = { searched: blobs(120, 1), others: blobs(100, 2) };

describe('searchPolicy', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-search-policy-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));
  const open = () => RunDirectory.open(folder, { command: 'test', configuration: {} });

  it('sets a static agent beside baselines, the landscape and other samples', async () => {
    const { agents, landscape = [], ...report } = await searchPolicy(graph, data, { objective: 'detrimental', budget });
    assert.deepEqual(
      agents.map(({ agent }) => agent),
      ['ddpg', 'random', 'sensitivity', 'greedy', 'cem', 'bayes', 'exhaustive'],
    );
    assert.equal(report.measure, 'accuracy');
    assert.deepEqual(report.images, { searched: 120, others: 100 });
    assert.equal(BigInt(landscape.length), new BudgetSpace(graph, budget).count);
    for (const { value, regret, others } of agents) {
      assert.ok(Math.abs((regret as number) - (value - (landscape[0] as number))) < 1e-9);
      assert.ok((others as number) >= 0);
    }
    const all = await searchPolicy(graph, data, {
      ...{ objective: 'robust', budget, agent: agentNamed('exhaustive'), baselines: [] },
    });
    assert.deepEqual([all.found, all.agents[0]?.value], ['exhaustive', all.landscape?.at(-1)]);
    const none = await searchPolicy(
      graph,
      { searched: data.searched },
      {
        ...{ objective: 'robust', budget, agent: agentNamed('random'), baselines: [], enumerate: 0, evaluations: 3 },
      },
    );
    assert.equal(none.landscape, undefined);
    assert.deepEqual(
      none.agents.map(({ evaluations, regret, others }) => [evaluations, regret, others]),
      [[3, undefined, undefined]],
    );
  });

  it('resumes its run, where the best policy is kept', async () => {
    const run = await open();
    const options = {
      objective: 'detrimental',
      budget,
      baselines: [agentNamed('random')],
      evaluations: 4,
      run,
    } as const;
    const agent = agentNamed('greedy');
    const first = await searchPolicy(graph, data, { ...options, agent });
    const policy = policyFromJson(graph, JSON.parse(readFileSync(run.file('policy.json'), 'utf8')));
    const best = first.agents.find(({ agent: name }) => name === first.found);
    assert.deepEqual(policy, policyFromJson(graph, best?.policy));
    const unable = { ...agent, search: () => assert.fail('searched again') };
    assert.deepEqual(await searchPolicy(graph, data, { ...options, agent: unable }), first);
    run.close();
  });

  it('sets an agent by input beside its controls, with a run or without', async () => {
    const parts = { learned: blobs(300, 3), selected: blobs(100, 4), judged: blobs(100, 5) };
    const options = { objective: 'robust', budget, agent: ppoWith(SMALL_PPO), seed: 2 } as const;
    const stages: string[] = [];
    const onProgress = ({ stage }: { readonly stage: string }) => stages.push(stage);
    const report = await searchPolicy(graph, parts, { ...options, onProgress });
    assert.deepEqual(
      report.figures.map(({ name }) => name),
      ['full precision', 'agent', 'open loop', 'shuffled bits', 'best static', 'oracle', 'oracle with labels'],
    );
    assert.deepEqual(report.images, { learned: 300, selected: 100, judged: 100 });
    assert.deepEqual([...new Set(stages)], ['full precision', 'candidates', 'gate', 'agent', 'judgement']);
    const run = await open();
    assert.deepEqual(await searchPolicy(graph, parts, { ...options, run }), report);
    assert.deepEqual(await searchPolicy(graph, parts, { ...options, run }), report);
    inputPolicyFromJson(graph, JSON.parse(readFileSync(run.file('policy.json'), 'utf8')));
    run.close();
  });

  it('stops when aborted, with the reason', async () => {
    const abort = new AbortController();
    const onProgress = () => abort.abort(new Error('enough'));
    const options = { objective: 'robust', budget, signal: abort.signal, onProgress } as const;
    await assert.rejects(searchPolicy(graph, data, options), /enough/);
  });
});
