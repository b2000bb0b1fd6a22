// Inference that repeats: the second run of a program on inputs of the same shapes and the same weights is traced, the
// runs after it only make the native calls of that trace, on memory of their own.
import { type Layout, Tape, type Value } from '../autograd/tape.js';
import { Trace } from '../autograd/trace.js';
import { sizeOf } from '../tensor/host_tensor.js';
import { alignedFloats, Memory } from '../tensor/memory.js';
import type { Parameters } from './parameters.js';

type Values = ReadonlyMap<string, Value>;

/** Runs a program on a tape with these inputs. */
export type Run = (tape: Tape, inputs: Values) => Map<string, Value>;

/** A trace with the arrays it reads and writes. */
class Plan {
  private constructor(
    private readonly trace: Trace,
    private readonly inputs: Values,
    private readonly outputs: Values,
  ) {}

  /** Undefined where a run does more than native calls. */
  static of(run: Run, inputs: Values): Plan | undefined {
    const trace = new Trace();
    const tape = new Tape({ memory: new Memory(), training: false, record: false, trace });
    const own = new Map<string, Value>();
    for (const [name, { dims, layout }] of inputs) {
      own.set(name, tape.constant(alignedFloats(sizeOf(dims)), dims, layout));
    }
    const outputs = run(tape, own);
    return trace.complete ? new Plan(trace, own, outputs) : undefined;
  }

  run(tape: Tape, inputs: Values): Map<string, Value> {
    for (const [name, value] of inputs) this.inputs.get(name)?.data.set(value.data);
    this.trace.replay();
    const results = new Map<string, Value>();
    for (const [name, { dims, layout, data }] of this.outputs) {
      const result = tape.make(dims, layout, []);
      result.data.set(data);
      results.set(name, result);
    }
    return results;
  }
}

/** What a plan was made for. */
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
      return value?.layout === layout && value.dims.every((dim, axis) => dim === dims[axis]);
    })
  );
}

/** The plan of one program: of its latest use, when that came twice. */
export class RepeatedRuns {
  private use: Use | undefined;
  private plan: Plan | undefined;
  private impossible = false;

  /** Undefined where the program is to run itself. */
  run(run: Run, tape: Tape, parameters: Parameters, inputs: Values): Map<string, Value> | undefined {
    if (this.impossible || tape.recording || tape.training || tape.trace || tape.convolutions !== 'direct') {
      return undefined;
    }
    if (!this.use || !fits(this.use, parameters, inputs)) {
      this.use = useOf(parameters, inputs);
      this.plan = undefined;
      return undefined;
    }
    if (!this.plan) {
      this.plan = Plan.of(run, inputs);
      this.impossible = this.plan === undefined;
    }
    return this.plan?.run(tape, inputs);
  }
}
