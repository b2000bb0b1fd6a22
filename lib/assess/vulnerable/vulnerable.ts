// The points of highest vulnerability of one network under one policy: by layer, by pair of layers, by channel, by class
// and by input, and the smallest changes of inputs that quantization turns into a wrong class.
//
// Layers are restored and broken one at a time. Channels are ranked by first-order noise from full precision, then the
// first of them are restored one at a time too: taken apart (split_channels.ts) and left in float32, all else quantized.

import { InvalidArgumentError, requireInteger } from '../../core/errors.js';
import { firstImages, type ImageSet, type Normalization } from '../../data/image_set.js';
import type { Graph } from '../../graph/graph.js';
import { APART, channelAxes, splitChannels } from '../../graph/passes/split_channels.js';
import { prepare } from '../../graph/prepare.js';
import { formatPolicy, type Policy } from '../../policy/policy.js';
import { compare } from '../../tasks/compare.js';
import { type Answers, type ClassComparison, percentScore } from '../../tasks/task.js';
import { float32Policy } from '../measure/figures.js';
import { Measurer, type PolicyAnswers } from '../measure/measurer.js';
import { excluding, type NodeSensitivity, sensitivityOf } from '../measure/sensitivity.js';
import { freeBatch, imageSamples, type Samples } from '../samples.js';
import { scan } from '../scan/scan.js';
import { rankVulnerability, type VulnerabilityRanking } from './vulnerability.js';
import { type InputChange, type WorstInputs, worstInputs } from './worst_inputs.js';

/** Where `vulnerable` looks, and how far. */
export interface VulnerableOptions {
  readonly policy: Policy;
  /** Whether every pair of layers is restored together. Default false. */
  readonly pairs?: boolean | undefined;
  /** Channels restored one at a time. Default 8. */
  readonly channels?: number | undefined;
  /** Kinds of changes that worst inputs are searched for, on the first `searched` images; these need labels. */
  readonly changes?: readonly InputChange[] | undefined;
  /** Default 200. */
  readonly searched?: number | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly layout?: 'nchw' | 'nhwc' | undefined;
  /** Name of the task. Default: what the output leaves no doubt of, else classification. */
  readonly task?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Current stage, its parts done, and the total. */
  readonly onProgress?: ((stage: string, done: number, total: number) => void) | undefined;
}

/** Two layers restored together: what they win beyond the sum of each alone. */
export interface PairSensitivity {
  readonly nodes: readonly [string, string];
  /** Points won back. */
  readonly restored: number;
  /** Of these, beyond those of each alone: above 0 only both together help, below 0 either does. */
  readonly interaction: number;
}

/** One input channel of a node. */
export interface ChannelSensitivity {
  readonly node: string;
  /** Input channel of the node. */
  readonly channel: number;
  /** Of all noise that reaches the margin, to first order, from full precision: 0–1. */
  readonly share: number;
  /** Points won back with this channel alone in float32. */
  readonly restored: number;
}

/** Schema faultline.vulnerable/1. Shares are points and percent of `measure`. */
export interface Vulnerable {
  readonly schema: 'faultline.vulnerable/1';
  readonly model: string;
  readonly policy: string;
  readonly samples: number;
  readonly seed: number;
  /** Of labels, or of the classes in full precision where there are none. */
  readonly measure: 'accuracy' | 'agreement';
  readonly fullPrecision: number;
  readonly quantized: number;
  readonly layers: readonly NodeSensitivity[];
  /** Strongest interaction first; empty unless requested. */
  readonly pairs: readonly PairSensitivity[];
  /** Most noise first. */
  readonly channels: readonly ChannelSensitivity[];
  /** By label; undefined without labels. */
  readonly classes: readonly ClassComparison[] | undefined;
  readonly inputs: VulnerabilityRanking;
  readonly worst: readonly WorstInputs[];
}

const CHANNELS = 8;
const SEARCHED = 200;
/** Samples that the noise of channels is estimated from. */
const SCANNED = 256;

interface Channel {
  readonly node: string;
  readonly channel: number;
  readonly share: number;
}

/** The channels that most of the noise comes from, of nodes that can be split. */
async function noisiest(graph: Graph, samples: Samples, count: number, options: VulnerableOptions): Promise<Channel[]> {
  const { policy, seed, signal } = options;
  const few = samples.take(Int32Array.from({ length: Math.min(SCANNED, samples.count) }, (_, i) => i));
  const { layers } = await scan(graph, few, { policy, draws: 1, layerFlips: false, seed, signal });
  return layers
    .flatMap(({ node, channelShares }) => {
      const splits = channelShares.length > 1 && channelAxes(graph, graph.node(node)) !== undefined;
      return splits ? channelShares.map((share, channel): Channel => ({ node, channel, share })) : [];
    })
    .sort((a, b) => b.share - a.share)
    .slice(0, count);
}

/** Points won back with one channel in float32. */
async function restoredChannel(
  graph: Graph,
  samples: Samples,
  expected: Answers,
  { node, channel }: Channel,
  options: VulnerableOptions,
): Promise<number> {
  const split = splitChannels(graph, new Map([[node, [channel]]])).graph;
  const measurer = new Measurer(split);
  try {
    const apart = excluding(options.policy, [`${node}${APART}`]);
    const [outcome] = await measurer.run(samples, [apart], { signal: options.signal });
    return percentScore(samples.task, (outcome as PolicyAnswers).answers, expected);
  } finally {
    measurer.dispose();
  }
}

/** Every pair of layers restored. */
async function pairsOf(
  measurer: Measurer,
  samples: Samples,
  expected: Answers,
  layers: readonly NodeSensitivity[],
  quantized: number,
  { policy, signal, onProgress }: VulnerableOptions,
): Promise<PairSensitivity[]> {
  const pairs = layers.flatMap((a, i) => layers.slice(i + 1).map((b) => [a, b] as const));
  const outcomes = await measurer.run(
    samples,
    pairs.map(([a, b]) => excluding(policy, [a.node, b.node])),
    { signal, onProgress: (done, total) => onProgress?.('pairs of layers', done, total) },
  );
  return pairs
    .map(([a, b], i): PairSensitivity => {
      const restored = percentScore(samples.task, (outcomes[i] as PolicyAnswers).answers, expected) - quantized;
      return { nodes: [a.node, b.node], restored, interaction: restored - a.restored - b.restored };
    })
    .sort((a, b) => Math.abs(b.interaction) - Math.abs(a.interaction));
}

/**
 * Where `source` is most vulnerable under a policy. Labels are optional: without them agreement with full precision
 * counts, and no worst input is searched for. Throws InvalidArgumentError or GraphError for what does not fit; the
 * signal's reason when called off.
 */
export async function vulnerable(
  source: Graph,
  images: ImageSet,
  normalization: Normalization,
  options: VulnerableOptions,
): Promise<Vulnerable> {
  const { policy, pairs = false, channels = CHANNELS, changes = [], searched = SEARCHED } = options;
  const { seed = 0, layout, signal, onProgress } = options;
  requireInteger('vulnerable', 'channels', channels, 0, 10_000);
  requireInteger('vulnerable', 'searched', searched, 1, Number.MAX_SAFE_INTEGER);
  if (policy.schemes.size === 0) {
    throw new InvalidArgumentError('vulnerable', 'policy', 'bits for a node with weights (Conv, Gemm, MatMul)', 'none');
  }
  const graph = prepare(freeBatch(source).graph);
  const samples = imageSamples(graph, images, normalization, { layout, task: options.task });
  const inputs = await rankVulnerability(graph, samples, {
    ...{ policy, seed, signal },
    onProgress: (done, total) => onProgress?.('inputs', done, total),
  });
  const measurer = new Measurer(graph);
  try {
    const all = [float32Policy(graph), policy];
    const answers = (await measurer.run(samples, all, { signal })).map((outcome) => outcome.answers);
    const [float, integer] = answers as [Answers, Answers];
    const { task } = samples;
    const expected = images.labels ?? float;
    const quantized = percentScore(task, integer, expected);
    const layers = await sensitivityOf(measurer, samples, expected, policy, {
      signal,
      onProgress: (done, total) => onProgress?.('layers', done, total),
    });
    const together = pairs ? await pairsOf(measurer, samples, expected, layers, quantized, options) : [];
    const restored: ChannelSensitivity[] = [];
    for (const channel of channels > 0 ? await noisiest(graph, samples, channels, options) : []) {
      const share = await restoredChannel(graph, samples, expected, channel, options);
      restored.push({ ...channel, restored: share - quantized });
      onProgress?.('channels', restored.length, channels);
    }
    const worst: WorstInputs[] = [];
    for (const change of images.labels ? changes : []) {
      const progress = (done: number, total: number) => onProgress?.(`worst inputs, ${change}`, done, total);
      const few = firstImages(images, searched);
      worst.push(
        await worstInputs(graph, few, normalization, {
          policy,
          change,
          seed,
          layout,
          task: options.task,
          signal,
          onProgress: progress,
        }),
      );
    }
    const { classes } = compare(task, float, integer, { labels: images.labels });
    return {
      schema: 'faultline.vulnerable/1',
      ...{ model: source.name, policy: formatPolicy(policy), samples: samples.count, seed },
      measure: images.labels ? 'accuracy' : 'agreement',
      fullPrecision: percentScore(task, float, expected),
      ...{ quantized, layers, pairs: together, channels: restored, classes, inputs, worst },
    };
  } finally {
    measurer.dispose();
  }
}
