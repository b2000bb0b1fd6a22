// Contenders of `bench model`, and the requests and replies of a measuring process.
import { z } from 'zod';
import type { PolicyJson } from '../../policy/json.js';

export const CONTENDERS = ['faultline', 'onnxruntime'] as const;
type ModelImpl = (typeof CONTENDERS)[number];

/** One way to run the network. */
export interface Contender {
  readonly impl: ModelImpl;
  /** `fp32`, `W8A8`, `int8 dynamic`, … */
  readonly policy: string;
  /** What exactly runs, in words. */
  readonly variant: string;
  /** faultline: bits by node; undefined is full precision. */
  readonly bits: PolicyJson | undefined;
  /** The .onnx file that runs. */
  readonly model: string;
}

/** The network's input, its numbers drawn by a seed. */
export interface InputShape {
  readonly name: string;
  /** [batch, …], images channels-first */
  readonly dims: readonly number[];
  readonly seed: number;
}

/** Loads the contender, runs it once and answers `ready`. */
interface LoadRequest {
  readonly kind: 'load';
  readonly contender: Contender;
  readonly threads: number;
  readonly input: InputShape;
}

/** One call unmeasured, then calls for this long, at least one; answers `round`. */
interface RoundRequest {
  readonly kind: 'round';
  readonly milliseconds: number;
}

/** What each quantized layer takes; answers `layers`. faultline under a policy only. */
interface LayersRequest {
  readonly kind: 'layers';
}

export type Request = LoadRequest | RoundRequest | LayersRequest;

export const layerTimeSchema = z.object({
  node: z.string(),
  operator: z.string(),
  /** Of one batch, the fastest of some. */
  milliseconds: z.number().nonnegative(),
  /** Of the whole batch, 0–1. */
  share: z.number().nonnegative(),
  gops: z.number().nonnegative(),
  /** Time at the machine's ceiling over time taken, 0–1. */
  ofCeiling: z.number().nonnegative(),
  bound: z.enum(['arithmetic', 'memory']),
});

/** `logits`: [batch, classes] */
export type Reply =
  | { readonly kind: 'ready'; readonly logits: Float32Array; readonly baselineBytes: number; readonly failure?: string }
  | { readonly kind: 'round'; readonly callsMs: readonly number[]; readonly cpuMs: number; readonly peakBytes: number }
  | { readonly kind: 'layers'; readonly layers: readonly z.infer<typeof layerTimeSchema>[]; readonly totalMs: number }
  | { readonly kind: 'error'; readonly message: string };
