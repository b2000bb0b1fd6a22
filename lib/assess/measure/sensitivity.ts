// Which layers a policy's harm comes from: one layer quantized and the rest in full precision, and the other way round.
import type { Policy } from '../../policy/policy.js';
import { type Answers, percentScore } from '../../tasks/task.js';
import type { Samples } from '../samples.js';
import type { MeasureOptions, Measurer } from './measurer.js';

/** What one node does, alone and among the others. */
export interface NodeSensitivity {
  readonly node: string;
  /** Points lost with only this node quantized. */
  readonly drop: number;
  /** Points won back with all but this node quantized. */
  readonly restored: number;
}

/** The policy with some nodes left in float32. */
export function excluding(policy: Policy, nodes: Iterable<string>): Policy {
  const out = new Set(nodes);
  return {
    schemes: new Map([...policy.schemes].filter(([name]) => !out.has(name))),
    excluded: new Set([...policy.excluded, ...out]),
  };
}

/** One entry for each node that the policy quantizes, in order. */
export async function sensitivityOf(
  measurer: Measurer,
  samples: Samples,
  expected: Answers,
  policy: Policy,
  options: MeasureOptions = {},
): Promise<NodeSensitivity[]> {
  const names = [...policy.schemes.keys()];
  const only = names.map((name) =>
    excluding(
      policy,
      names.filter((other) => other !== name),
    ),
  );
  const allBut = names.map((name) => excluding(policy, [name]));
  const outcomes = await measurer.run(samples, [excluding(policy, names), policy, ...only, ...allBut], options);
  const shares = outcomes.map(({ answers }) => percentScore(samples.task, answers, expected));
  const [fp, all] = shares as [number, number];
  return names.map((node, i) => ({
    node,
    drop: fp - (shares[2 + i] as number),
    restored: (shares[2 + names.length + i] as number) - all,
  }));
}
