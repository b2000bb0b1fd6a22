// What a backend is: it says what it computes in one step, and how a step runs. Everything else (the order of steps,
// feeds, values, results) is the program's, and the same for all of them.
import type { Tape, Value } from '../autograd/tape.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import type { Fusions, Step } from './compile.js';
import type { Feeds, Run } from './run.js';
import type { SampleCounts } from './scores.js';

/** What a backend is opened for. */
export interface Network {
  /** What runs: prepared where the backend says so. */
  readonly graph: Graph;
  /** Values that a run returns. */
  readonly requested: ReadonlySet<string>;
}

export type Results = Map<string, Value>;

/** A backend for one network. `Use` is what a run gets beside its feeds. */
export interface Engine<Use> {
  /** What it computes together with a node. */
  fuses(node: GraphNode): Fusions;
  /** Throws what is wrong with a use, before any work. */
  check?(use: Use): void;
  /** Forgets the last run, if any, and sets what the next computes on. */
  begin(use: Use): { readonly tape: Tape; readonly constants: ReadonlyMap<string, Value> };
  /** An input as steps read it. */
  place?(run: Run, value: Value): Value;
  /** Computes a step; undefined where its outputs are kept in the run already. */
  compute(step: Step, run: Run, use: Use): Value | undefined;
  /** A requested value as it is returned. */
  present?(run: Run, value: Value): Value;
  /** Called when all steps of a run are done. */
  finish?(run: Run): void;
  /** Results of a run that was recorded before; undefined where `again` has to run. */
  repeat?(feeds: Feeds, use: Use, again: (feeds: Feeds, use: Use) => Results): Results | undefined;
  /** Samples at a time of an evaluation, where all steps compute `all` elements a sample; absent: what fits the cache. */
  batchSize?(all: number): number;
  /** Counts right classes where the logits are; absent: on the host. */
  counts?(request: CountRequest): SampleCounts;
  /** Lets go of the last run's values. */
  end?(): void;
  /** Frees everything. */
  dispose?(): void;
  /** Memory held for packed weights and values. */
  readonly bytes?: number;
}

/** Classes of the samples of a batch, and how many sets of logits will be compared with them. */
export interface CountRequest {
  readonly samples: number;
  readonly labels: Int32Array | undefined;
  readonly reference: Int32Array | undefined;
  readonly most: number;
}

/** How steps are computed. */
export interface Backend<Use> {
  readonly name: string;
  readonly device: 'cpu' | 'cuda';
  /** Whether it runs prepared networks only; the others take a graph as it is, batch norms included. */
  readonly prepares: boolean;
  /** Throws GraphError naming a node that it cannot compute, DeviceError where its device is missing. */
  open(network: Network): Engine<Use>;
}
