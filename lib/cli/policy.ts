// Policies from the command line: a scheme for all nodes, or a file that holds a policy.

import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from '../core/errors.js';
import { perGroup, perOutputChannel, perTensor } from '../format/granularity.js';
import { type Granularities, looksLikeScheme, parseScheme } from '../format/scheme.js';
import { quantizableNodes } from '../graph/check.js';
import type { Graph } from '../graph/graph.js';
import { leftInFloat } from '../graph/left_in_float.js';
import { policyFromJson } from '../policy/json.js';
import { type Policy, quantizedNames, uniformPolicy } from '../policy/policy.js';
import type { InputPolicy } from '../search/input_policy.js';
import { inputPolicyFromJson } from '../search/input_policy_json.js';
import { flag, option, repeated, text } from './option.js';

/** What a policy file says, read by `parse`. Throws InvalidArgumentError, naming the file. */
async function policyFile<Kind>(path: string, parse: (json: unknown) => Kind): Promise<Kind> {
  const content = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const expected = 'a scheme, W2A2 … W8A8, W4A16, W4A8/g32, …, or a readable file';
    throw new InvalidArgumentError('faultline', '--policy', expected, `${path}: ${error.code}`);
  });
  try {
    return parse(JSON.parse(content));
  } catch (error) {
    const received = `${path}: ${(error as Error).message}`;
    throw new InvalidArgumentError('faultline', '--policy', 'a policy for this model', received);
  }
}

function staticPolicyOf(graph: Graph, json: unknown, excluded: readonly string[]): Policy {
  const { schemes, excluded: listed } = policyFromJson(graph, json);
  const outside = new Set([...listed, ...quantizedNames(graph, { excluded }).excluded]);
  return { schemes: new Map([...schemes].filter(([name]) => !outside.has(name))), excluded: outside };
}

/** No policy says anything of a network without products by constant weights. */
function requireWeights(graph: Graph): void {
  if (quantizableNodes(graph).length > 0) return;
  const why = leftInFloat(graph).map(({ node, why }) => `${node}: ${why}`);
  throw new InvalidArgumentError('faultline', 'model', 'nodes that can be quantized', ['none', ...why].join('; '));
}

/**
 * `text`: a scheme for every node (W4A8) or the path of a policy file. `excluded`: nodes to leave in float32,
 * whatever a file says of them. Throws InvalidArgumentError or GraphError, naming the file where it is one.
 */
export async function readPolicy(graph: Graph, text: string, excluded: readonly string[] = []): Promise<Policy> {
  requireWeights(graph);
  if (looksLikeScheme(text)) return uniformPolicy(graph, parseScheme(text, 'faultline', '--policy'), { excluded });
  return policyFile(text, (json) => staticPolicyOf(graph, json, excluded));
}

/** The same, or the policy of an agent that chooses bits for each input: a faultline.input-policy/1 file. */
export async function readAnyPolicy(graph: Graph, text: string): Promise<Policy | InputPolicy> {
  requireWeights(graph);
  if (looksLikeScheme(text)) return uniformPolicy(graph, parseScheme(text, 'faultline', '--policy'));
  return policyFile(text, (json) => {
    const byInput = (json as { schema?: unknown } | null)?.schema === 'faultline.input-policy/1';
    return byInput ? inputPolicyFromJson(graph, json) : staticPolicyOf(graph, json, []);
  });
}

/** The name of a scheme, for lists of them. Throws InvalidArgumentError, naming the option. */
export function schemeName(text: string, option: string): string {
  parseScheme(text, 'faultline', option);
  return text;
}

/** Which policy a command works under. */
export function policyOptions(
  byDefault: string,
  help = 'W2A2 … W8A8, W4A16, W4A8/g32, W8A8/tensor, …, or a policy file',
) {
  return {
    policy: text('<scheme or file>', help, { default: byDefault }),
    exclude: repeated('<nodes...>', 'quantizable nodes to leave in float32'),
  };
}

/** What shares a weight scale. */
export const GRANULARITY_OPTIONS = {
  perChannel: flag('a weight scale for each output channel (default)'),
  perTensor: flag('one weight scale for each node'),
  blockSize: option<number>('<n>', 'a weight scale for each block of n weights: a power of two from 16', (one) =>
    blockSizeOption(one),
  ),
};

interface GranularityFlags {
  readonly perTensor?: true | undefined;
  readonly perChannel?: true | undefined;
  readonly blockSize?: number | undefined;
}

/** The granularity of weights that --per-tensor or --block-size ask for in place of that of the policy. */
export function granularitiesOf({
  perTensor: tensor,
  perChannel: channel,
  blockSize,
}: GranularityFlags): Granularities {
  const flags = [tensor, channel, blockSize].filter((one) => one !== undefined);
  if (flags.length > 1) {
    const expected = 'one of --per-channel, --per-tensor, --block-size';
    throw new InvalidArgumentError('faultline', 'granularity', expected, 'several');
  }
  if (blockSize !== undefined) return { weights: perGroup(blockSize) };
  if (channel) return { weights: perOutputChannel };
  return tensor ? { weights: perTensor } : {};
}

/** What packWeights takes. */
const LEAST_BLOCK = 16;
const MOST_BLOCK = 16384;

function blockSizeOption(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(Math.log2(value)) && value >= LEAST_BLOCK && value <= MOST_BLOCK) return value;
  throw new InvalidArgumentError(
    'faultline',
    '--block-size',
    `a power of two from ${LEAST_BLOCK} to ${MOST_BLOCK}`,
    text,
  );
}
