// Policies from the command line: W4A8, or a file that holds one.
import { readFile } from 'node:fs/promises';
import type { Graph } from '../graph/graph.js';
import { InvalidArgumentError } from '../native/errors.js';
import type { WeightGranularity } from '../native/packed_weights.js';
import { type Policy, policyFromJson, uniformPolicy } from '../quant/policy.js';
import { integerOption } from './options.js';

/**
 * `text`: bits for every node (W4A8) or the path of a faultline.policy/1 file. `excluded`: nodes to leave in float32,
 * whatever a file says of them. Throws InvalidArgumentError or GraphError, naming the file where it is one.
 */
export async function readPolicy(graph: Graph, text: string, excluded: readonly string[] = []): Promise<Policy> {
  if (/^W\d+A\d+$/i.test(text)) return uniformPolicy(graph, text, { excluded });
  const content = await readFile(text, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InvalidArgumentError(
      'faultline',
      '--policy',
      'W2A2 … W8A8, or a readable file',
      `${text}: ${error.code}`,
    );
  });
  try {
    const { bits, excluded: own } = policyFromJson(graph, JSON.parse(content));
    const outside = new Set([...own, ...uniformPolicy(graph, 'W8A8', { excluded }).excluded]);
    return { bits: new Map([...bits].filter(([name]) => !outside.has(name))), excluded: outside };
  } catch (error) {
    throw new InvalidArgumentError(
      'faultline',
      '--policy',
      'a policy for this model',
      `${text}: ${(error as Error).message}`,
    );
  }
}

export interface GranularityFlags {
  readonly perTensor?: true;
  readonly perChannel?: true;
  readonly blockSize?: number;
}

/** What shares a weight scale: --per-channel (default), --per-tensor or --block-size. */
export function granularityOf({ perTensor, perChannel, blockSize }: GranularityFlags): WeightGranularity {
  const given = [perTensor, perChannel, blockSize].filter((flag) => flag !== undefined);
  if (given.length > 1) {
    const wanted = 'one of --per-channel, --per-tensor, --block-size';
    throw new InvalidArgumentError('faultline', 'granularity', wanted, 'several');
  }
  if (blockSize !== undefined) return { blockSize };
  return perTensor ? 'perTensor' : 'perChannel';
}

export const blockSizeOption = integerOption('--block-size', 1);
