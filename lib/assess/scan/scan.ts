// Predicts from full precision whether a network will break: indicators of brittleness of one network, on samples
// without labels and without quantizing anything, for the network and layer by layer. indicators/study.ts says how good
// each of them is.

import { setImmediate } from 'node:timers/promises';
import { requireInteger } from '../../core/errors.js';
import type { Graph } from '../../graph/graph.js';
import { formatPolicy, type Policy, uniformPolicy } from '../../policy/policy.js';
import { keepPart } from '../../run/parts.js';
import { normalCdf } from '../../statistics/shares.js';
import { quantile } from '../../statistics/summary.js';
import { Random } from '../../tensor/random.js';
import { type ActivationShape, activationShapes, type WeightShape, weightShape } from '../indicators/classical.js';
import { firstOrderNoise, hessianTraces, type LayerNoise } from '../indicators/gradient.js';
import type { IndicatorName } from '../indicators/names.js';
import { type ScanLayer, ScanNetwork } from '../indicators/network.js';
import { flipRate, inputNoise, pseudoNoise, weightNoise } from '../indicators/noise.js';
import { freeBatch, type Samples } from '../samples.js';

/** Noise that the indicators take for quantization. */
export interface ScanOptions {
  /** Bits whose steps the noise has. Default W4A4 everywhere; excluded nodes have none. */
  readonly policy?: Policy | undefined;
  /** Draws of each kind of noise. Default 4. */
  readonly draws?: number | undefined;
  /** Whether noise is also put into each layer alone, a pass each. Default true. */
  readonly layerFlips?: boolean | undefined;
  /** Default 0. */
  readonly seed?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Passes done, and the total. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** The indicators of one layer. */
export interface LayerScan extends WeightShape {
  readonly node: string;
  /** Share of the samples that noise in this layer alone flips: 0–1; undefined without `layerFlips`. */
  readonly pseudoNoiseFlips: number | undefined;
  /** Median over samples, noise of this layer alone. */
  readonly noiseOverMargin: number;
  /** Of the noise that reaches the margin: 0–1, and the part of it that comes from the activation. */
  readonly noiseShare: number;
  readonly activationShare: number;
  /** The noise of the activation by input channel, as parts of all noise that reaches the margin. */
  readonly channelShares: readonly number[];
  readonly hessianTrace: number;
  readonly activationPeak: number;
  readonly rangeSpread: number;
}

/** Indicators of brittleness of one network. */
export interface Scan {
  readonly schema: 'faultline.scan/1';
  readonly model: string;
  readonly policy: string;
  readonly samples: number;
  readonly seed: number;
  readonly draws: number;
  /** Shares of samples are 0–1. Of the classical ones by layer, the worst layer's. */
  readonly indicators: Readonly<Record<IndicatorName, number>>;
  readonly layers: readonly LayerScan[];
}

const DRAWS = 4;
/** Curvature is looked at on the first samples: four gradients a probe cost as much as everything else. */
const HESSIAN_SAMPLES = 64;
const HESSIAN_PROBES = 4;

/** What full precision says of the samples. */
interface Reference {
  readonly classes: Int32Array;
  readonly margins: Float64Array;
  /** Margin over the deviation of the sample's logits: it does not change when logits are scaled. */
  readonly relativeMargins: Float64Array;
  readonly inputDeviation: number;
}

function refer(network: ScanNetwork, samples: Samples): Reference {
  const { count } = samples;
  const classes = new Int32Array(count);
  const [margins, relativeMargins] = [new Float64Array(count), new Float64Array(count)];
  let [sum, squares, elements] = [0, 0, 0];
  for (const batch of network.batches(samples)) {
    for (const x of batch.inputs) {
      sum += x;
      squares += x * x;
    }
    elements += batch.inputs.length;
    const { logits, width } = network.run(batch);
    const found = network.classes.leaders(logits.data, batch.count);
    classes.set(found.first, batch.start);
    margins.set(found.margins, batch.start);
    for (let row = 0; row < batch.count; row++) {
      const rowLogits = logits.data.subarray(row * width, (row + 1) * width);
      const mean = rowLogits.reduce((total, z) => total + z, 0) / width;
      const deviation = Math.sqrt(rowLogits.reduce((total, z) => total + (z - mean) ** 2, 0) / width);
      relativeMargins[batch.start + row] = (found.margins[row] as number) / (deviation || 1);
    }
  }
  const mean = sum / elements;
  return {
    classes,
    margins,
    relativeMargins,
    inputDeviation: Math.sqrt(Math.max(0, squares / elements - mean * mean)),
  };
}

/** Deviation of a margin over the margin; 0 where there is no noise, largest where there is no margin. */
function ratio(variance: number, margin: number): number {
  return variance === 0 ? 0 : Math.sqrt(variance) / Math.max(margin, Number.MIN_VALUE);
}

const median = (values: ArrayLike<number>) => quantile(Array.from(values), 0.5);
const sum = (values: Iterable<number>) => {
  let total = 0;
  for (const value of values) total += value;
  return total;
};
const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);

/** First-order figures of the network: the layers' noises are taken to be independent, their variances add up. */
function overMargin(noises: readonly LayerNoise[], { margins }: Reference) {
  const ratios = margins.map((margin, sample) => {
    const variance = sum(noises.map(({ activations, weights }) => (activations[sample] as number) + weights));
    return ratio(variance, margin);
  });
  const flips = ratios.reduce((total, r) => total + (r === 0 ? 0 : normalCdf(-1 / r)), 0) / ratios.length;
  return { noiseOverMargin: median(ratios), predictedFlips: flips };
}

/**
 * Indicators of one network. The samples need no labels. Deterministic from the seed for the same number of threads.
 * Throws GraphError or InvalidArgumentError when network, policy and samples do not fit; the signal's reason when
 * called off.
 */
export async function scan(graph: Graph, samples: Samples, options: ScanOptions = {}): Promise<Scan> {
  const { draws = DRAWS, layerFlips = true, seed = 0, signal, onProgress } = options;
  requireInteger('scan', 'draws', draws, 1, 1000);
  requireInteger('scan', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const policy = options.policy ?? uniformPolicy(freeBatch(graph).graph, 'W4A4');
  const network = new ScanNetwork(graph, policy, samples.task);
  const { layers } = network;
  const random = new Random(seed).split('scan');
  const total = 4 + 3 * draws + (layerFlips ? layers.length : 0);
  let done = 0;
  const pass = async <Result>(work: () => Result): Promise<Result> => {
    signal?.throwIfAborted();
    const result = await keepPart('pass', async () => work());
    done += 1;
    onProgress?.(done, total);
    await setImmediate();
    return result;
  };
  /** A pass that finds something of each layer. */
  const layerPass = async <Found>(
    work: () => ReadonlyMap<ScanLayer, Found>,
  ): Promise<ReadonlyMap<ScanLayer, Found>> => {
    const found = await pass(() =>
      [...work()].map(([layer, layerResult]) => [layers.indexOf(layer), layerResult] as const),
    );
    return new Map(found.map(([at, layerResult]) => [layers[at] as ScanLayer, layerResult]));
  };
  const reference = await pass(() => refer(network, samples));
  const shapes = await layerPass(() => activationShapes(network, samples));
  const noises = await layerPass(() => firstOrderNoise(network, samples, random.split('signs')));
  const traces = await layerPass(() =>
    hessianTraces(network, samples, HESSIAN_SAMPLES, HESSIAN_PROBES, random.split('hessian')),
  );
  const rates = { pseudo: 0, weights: 0, input: 0 };
  for (let draw = 0; draw < draws; draw++) {
    const drawStream = random.split(String(draw));
    const kinds = {
      pseudo: () => pseudoNoise(drawStream.split('pseudo')),
      weights: () => weightNoise(drawStream.split('weights')),
      input: () => inputNoise(drawStream.split('input'), reference.inputDeviation),
    };
    for (const kind of ['pseudo', 'weights', 'input'] as const) {
      rates[kind] += (await pass(() => flipRate(network, samples, reference.classes, kinds[kind]()))) / draws;
    }
  }
  const all = sum([...noises.values()].map(totalNoise));
  const scanned: LayerScan[] = [];
  for (const layer of layers) {
    const alone = pseudoNoise(random.split('0').split('pseudo'), layer);
    const flips = layerFlips ? await pass(() => flipRate(network, samples, reference.classes, alone)) : undefined;
    const noise = noises.get(layer) as LayerNoise;
    const { peak, spread } = shapes.get(layer) as ActivationShape;
    const layerNoise = totalNoise(noise);
    scanned.push({
      node: layer.node.name,
      pseudoNoiseFlips: flips,
      noiseOverMargin: overMargin([noise], reference).noiseOverMargin,
      noiseShare: all > 0 ? layerNoise / all : 0,
      channelShares: Array.from(noise.channels, (part) => (all > 0 ? part / all : 0)),
      activationShare: layerNoise > 0 ? sum(noise.activations) / layerNoise : 0,
      hessianTrace: traces.get(layer) as number,
      activationPeak: peak,
      rangeSpread: spread,
      ...weightShape(layer),
    });
  }
  const gradient = sum([...noises.values()].map(({ squaredGradient }) => squaredGradient));
  const worst = (name: 'kurtosis' | 'activationPeak' | 'rangeSpread' | 'disparity') =>
    most(scanned.map((s) => s[name]));
  return {
    schema: 'faultline.scan/1',
    model: graph.name,
    policy: formatPolicy(policy),
    samples: samples.count,
    seed,
    draws,
    indicators: {
      pseudoNoiseFlips: rates.pseudo,
      ...overMargin([...noises.values()], reference),
      gradientNorm: Math.sqrt(gradient),
      weightNoiseFlips: rates.weights,
      inputNoiseFlips: rates.input,
      margin: median(reference.relativeMargins),
      hessianTrace: sum(traces.values()),
      kurtosis: worst('kurtosis'),
      activationPeak: worst('activationPeak'),
      rangeSpread: worst('rangeSpread'),
      channelDisparity: worst('disparity'),
      weightSqnrDb: least(scanned.map(({ sqnrDb }) => sqnrDb)),
    },
    layers: scanned,
  };
}

/** Indicators that take passes forward, and one pass back, alone. */
const CHEAP: ReadonlySet<IndicatorName> = new Set(['margin', 'noiseOverMargin', 'predictedFlips', 'pseudoNoiseFlips']);

/**
 * Some indicators, as `scan` has them, with no more work than they take: the margin is one pass forward, first-order
 * figures one pass back, pseudo-noise flips a pass forward a draw, others a whole scan. Throws what `scan` throws.
 */
export async function measureIndicators<Name extends IndicatorName>(
  graph: Graph,
  samples: Samples,
  names: readonly Name[],
  options: Pick<ScanOptions, 'policy' | 'draws' | 'seed' | 'signal'> = {},
): Promise<Record<Name, number>> {
  const { draws = DRAWS, seed = 0, signal } = options;
  const picked = (from: Partial<Record<IndicatorName, number>>) =>
    Object.fromEntries(names.map((name) => [name, from[name]])) as Record<Name, number>;
  if (!names.every((name) => CHEAP.has(name))) {
    return picked((await scan(graph, samples, { ...options, layerFlips: false })).indicators);
  }
  requireInteger('scan', 'draws', draws, 1, 1000);
  const requested = new Set<IndicatorName>(names);
  const network = new ScanNetwork(graph, options.policy, samples.task);
  const reference = refer(network, samples);
  const random = new Random(seed).split('scan');
  const found: Partial<Record<IndicatorName, number>> = { margin: median(reference.relativeMargins) };
  if (requested.has('noiseOverMargin') || requested.has('predictedFlips')) {
    signal?.throwIfAborted();
    const noises = [...firstOrderNoise(network, samples, random.split('signs')).values()];
    Object.assign(found, overMargin(noises, reference));
    await setImmediate();
  }
  if (requested.has('pseudoNoiseFlips')) {
    let flips = 0;
    for (let draw = 0; draw < draws; draw++) {
      signal?.throwIfAborted();
      const noise = pseudoNoise(random.split(String(draw)).split('pseudo'));
      flips += flipRate(network, samples, reference.classes, noise) / draws;
      await setImmediate();
    }
    found.pseudoNoiseFlips = flips;
  }
  return picked(found);
}

/** Summed over samples. */
function totalNoise({ activations, weights }: LayerNoise): number {
  return sum(activations) + activations.length * weights;
}
