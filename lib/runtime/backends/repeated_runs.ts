// Inference that repeats: the second run of a program on inputs of the same shapes and the same weights is traced, later
// runs only make the native calls of that trace, on separate memory. Where samples do not depend on each
// other and a batch is too large for the cache, the trace is of a part of it, made by the first run, and is repeated for
// each part.
import { type Layout, Tape, type Value } from '../../autograd/tape.js';
import { Trace } from '../../autograd/trace.js';
import { sizeOf } from '../../core/shape.js';
import { sameDims } from '../../graph/dims.js';
import type { Graph } from '../../graph/graph.js';
import type { Parameters } from '../../graph/parameters.js';
import { partOf, type SampleSize, sampleSize } from '../../graph/samplewise.js';
import { alignedFloats, Memory } from '../../tensor/memory.js';

type Values = ReadonlyMap<string, Value>;

/** Runs a program on a tape with these inputs. */
type Interpret = (tape: Tape, inputs: Values) => Map<string, Value>;

/** A trace with the arrays it reads and writes. */
class Plan {
  private constructor(
    private readonly trace: Trace,
    private readonly inputs: Values,
    private readonly outputs: Values,
    private readonly parts: number,
  ) {}

  /** Undefined where a run does more than native calls. `part`: samples to trace, when not all. */
  static of(run: Interpret, inputs: Values, part?: number): Plan | undefined {
    const trace = new Trace();
    const tape = new Tape({ memory: new Memory(), training: false, record: false, trace });
    const fed = new Map<string, Value>();
    for (const [name, { dims: whole, layout }] of inputs) {
      const dims = part === undefined ? whole : [part, ...whole.slice(1)];
      fed.set(name, tape.constant(alignedFloats(sizeOf(dims)), dims, layout));
    }
    const outputs = run(tape, fed);
    const parts = part === undefined ? 1 : ([...inputs.values()][0]?.dims[0] as number) / part;
    return trace.complete ? new Plan(trace, fed, outputs, parts) : undefined;
  }

  run(tape: Tape, inputs: Values): Map<string, Value> {
    const { parts } = this;
    const results = new Map<string, Value>();
    for (const [name, { dims, layout }] of this.outputs) {
      const whole = parts === 1 ? dims : [parts * (dims[0] as number), ...dims.slice(1)];
      results.set(name, tape.make(whole, layout, []));
    }
    for (let part = 0; part < parts; part++) {
      for (const [name, { data }] of this.inputs) {
        data.set((inputs.get(name) as Value).data.subarray(part * data.length, (part + 1) * data.length));
      }
      this.trace.replay();
      for (const [name, { data }] of this.outputs) results.get(name)?.data.set(data, part * data.length);
    }
    return results;
  }
}

/** Inputs that a plan was made for. */
interface Use {
  readonly parameters: Parameters;
  readonly version: number;
  readonly inputs: readonly (readonly [name: string, dims: readonly number[], layout: Layout])[];
}

function useOf(parameters: Parameters, inputs: Values): Use {
  const shapes = [...inputs].map(([name, { dims, layout }]) => [name, dims, layout] as const);
  return { parameters, version: parameters.version, inputs: shapes };
}

function fits(use: Use, parameters: Parameters, inputs: Values): boolean {
  return (
    use.parameters === parameters &&
    use.version === parameters.version &&
    use.inputs.every(([name, dims, layout]) => {
      const value = inputs.get(name);
      return value?.layout === layout && sameDims(value.dims, dims);
    })
  );
}

/** The plan of one program: of its latest use, once that is repeated. */
export class RepeatedRuns {
  private use: Use | undefined;
  private plan: Plan | undefined;
  private impossible = false;
  private readonly size: SampleSize | undefined;

  /** `inner`: runs return other values than the graph's outputs too. */
  constructor(graph: Graph, inner: boolean) {
    this.size = inner ? undefined : sampleSize(graph);
  }

  /** Undefined where the program must run normally. */
  run(run: Interpret, tape: Tape, parameters: Parameters, inputs: Values): Map<string, Value> | undefined {
    if (this.impossible || tape.recording || tape.training || tape.trace || tape.convolutions !== 'direct') {
      return undefined;
    }
    const again = this.use !== undefined && fits(this.use, parameters, inputs);
    if (!again) {
      this.use = useOf(parameters, inputs);
      this.plan = undefined;
    }
    if (!this.plan) {
      const count = [...inputs.values()][0]?.dims[0] as number;
      const part = this.size && partOf(count, this.size);
      // A part may be summed in another order than the whole: where there are parts, the first run has them too, so that
      // a sample's result does not depend on its run.
      const inParts = part !== undefined && part < count;
      if (!again && !inParts) return undefined;
      this.plan = Plan.of(run, inputs, part);
      this.impossible = this.plan === undefined;
    }
    return this.plan?.run(tape, inputs);
  }
}
