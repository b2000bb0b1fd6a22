// A compiled network: its steps run in order on a backend, from feeds to results. Runs can be forked on the way, so that
// policies that begin alike share their beginning.
import { Value } from '../autograd/tape.js';
import { InvalidArgumentError } from '../core/errors.js';
import { sizePerSample } from '../graph/dims.js';
import { GraphError } from '../graph/errors.js';
import type { Graph, GraphNode } from '../graph/graph.js';
import { InferredShapes, inferShapes } from '../graph/infer.js';
import { prepare } from '../graph/prepare.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import type { Backend, CountRequest, Engine, Results } from './backend.js';
import { compileSteps, type Step } from './compile.js';
import { type Feeds, Run } from './run.js';
import type { SampleCounts } from './scores.js';

/** Samples whose largest value has about as many elements, 8 MB: what a layer writes is in the cache for the next. */
const BATCH_ELEMENTS = 2 ** 21;
const LEAST_BATCH = 8;
/** More gain nothing: a call costs microseconds, its work milliseconds. */
const MOST_BATCH = 500;

/** What a program returns. */
export interface CompileOptions {
  /** Values that a run returns beside the outputs; 'all' computes every node separately. */
  readonly keep?: readonly string[] | 'all' | undefined;
}

/** A network compiled for a backend, to run again and again. */
export class Program<Use> {
  /** The graph that runs. */
  readonly graph: Graph;
  readonly device: 'cpu' | 'cuda';
  readonly steps: readonly Step[];
  /** Elements of the largest value that a step computes, for one sample. */
  readonly largestValue: number;
  private readonly allValues: number;
  private readonly engine: Engine<Use>;
  private readonly requested: ReadonlySet<string>;
  private readonly shapes: InferredShapes;
  private disposed = false;

  constructor(source: Graph, backend: Backend<Use>, { keep = [] }: CompileOptions) {
    const graph = backend.prepares ? prepare(source) : source;
    this.graph = graph;
    this.device = backend.device;
    this.shapes = new InferredShapes(graph);
    const kept = keep === 'all' ? graph.nodes.flatMap((node) => node.outputs) : keep;
    this.requested = new Set([...graph.outputs.map(({ name }) => name), ...kept]);
    const { requested } = this;
    this.engine = backend.open({ graph, requested });
    const types = inferShapes(graph);
    this.steps = compileSteps({ graph, types, requested, fuses: (node) => this.engine.fuses(node) });
    const sizes = this.steps.map(({ output }) => sizePerSample(types.get(output)?.dims ?? []));
    this.largestValue = sizes.reduce((most, size) => Math.max(most, size), 1);
    this.allValues = sizes.reduce((sum, size) => sum + size, 0);
  }

  /** Quantizable nodes in the order they run. */
  get products(): GraphNode[] {
    return this.steps.filter(({ quantizable }) => quantizable).map(({ node }) => node);
  }

  /** Memory held for packed weights and for values, in bytes; the memory of a caller's tape is not counted. */
  get bytes(): number {
    return this.engine.bytes ?? 0;
  }

  /** Samples at a time for an evaluation: what is in the cache when the next layer reads it. */
  get batchSize(): number {
    const inCache = Math.min(MOST_BATCH, Math.max(LEAST_BATCH, Math.floor(BATCH_ELEMENTS / this.largestValue)));
    return this.engine.batchSize?.(this.allValues) ?? inCache;
  }

  /**
   * The graph's outputs (and `keep`) for these inputs. Float inputs of rank 4 are [N, C, H, W], or channels-last values.
   * The results are memory of the tape: the caller's, or the program's until its next run. Throws GraphError naming node
   * or input.
   */
  run(feeds: Feeds, use: Use): Results {
    this.check(use);
    return (
      this.engine.repeat?.(feeds, use, (other, again) => this.interpret(other, again)) ?? this.interpret(feeds, use)
    );
  }

  private interpret(feeds: Feeds, use: Use): Results {
    const run = this.begin(feeds, use);
    this.advance(run, 0, this.steps.length, use);
    this.engine.finish?.(run);
    return this.results(run);
  }

  /** Throws what is wrong with a use, before any work. */
  check(use: Use): void {
    this.engine.check?.(use);
  }

  /** Takes the inputs of a run. */
  begin(feeds: Feeds, use: Use): Run {
    if (this.disposed) throw new InvalidArgumentError('program', 'program', 'one in use', 'one disposed of');
    const { tape, constants } = this.engine.begin(use);
    const { types, known } = this.shapes.of(feeds);
    const fed = new Map<string, HostTensor>();
    const { initializers } = this.graph;
    const run = new Run({ tape, constants, initializers, types, known, fed }, new Map(), new Map());
    for (const { name } of this.graph.inputs) {
      const feed = feeds[name];
      if (!feed) throw new GraphError(`input "${name}"`, 'expected a tensor, received none');
      if (!(feed instanceof Value) && feed.dtype !== 'float32') {
        run.keepHost(name, feed);
        continue;
      }
      if (!(feed instanceof Value)) fed.set(name, feed);
      const value = feed instanceof Value ? feed : tape.constant(feed.data as Float32Array, feed.dims);
      run.values.set(name, this.engine.place?.(run, value) ?? value);
    }
    return run;
  }

  /** Runs the steps from one number up to another. */
  advance(run: Run, from: number, to: number, use: Use): void {
    const { engine, steps } = this;
    const { tape, values } = run;
    let step = steps[from] as Step;
    const compute = () => engine.compute(step, run, use);
    for (let index = from; index < to; index++) {
      step = steps[index] as Step;
      const value = tape.scope(compute);
      if (value) values.set(step.output, value);
      run.forget(step.last);
    }
  }

  /** What a run returns, as far as it is computed. */
  results(run: Run): Results {
    const results: Results = new Map();
    for (const name of this.requested) {
      const value = run.find(name);
      if (value) results.set(name, this.engine.present?.(run, value) ?? value);
    }
    return results;
  }

  /** Counts of right classes where the logits are; undefined: they are the host's. */
  counts(request: CountRequest): SampleCounts | undefined {
    return this.engine.counts?.(request);
  }

  /** Lets go of the last run's values. */
  end(): void {
    this.engine.end?.();
  }

  /** Frees packed weights and memory at once; any later run throws. */
  dispose(): void {
    this.disposed = true;
    this.engine.dispose?.();
  }
}

/**
 * A network ready to run on a backend: `float()`, `fakeQuant()`, `integer()`, `device()`. Throws GraphError naming a node
 * that the backend cannot compute.
 */
export function compile<Use>(graph: Graph, backend: Backend<Use>, options: CompileOptions = {}): Program<Use> {
  return new Program(graph, backend, options);
}
