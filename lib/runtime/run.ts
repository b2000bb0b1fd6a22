// The state of one run: what it has computed, what it may still read, and the tape that it computes on.
import type { Tape } from '../autograd/tape.js';
import { Value } from '../autograd/tape.js';
import type { GraphNode, TensorType } from '../graph/graph.js';
import type { HostTensor } from '../tensor/host_tensor.js';
import type { Surroundings } from './execute.js';

/** What an input is fed with: a value of the tape, or a tensor of any type. */
type Feed = Value | HostTensor;
/** By the name of the input. */
export type Feeds = Readonly<Record<string, Feed>>;

/** What a run has from its network and backend. */
interface RunParts {
  readonly tape: Tape;
  /** Float32 initializers on the tape, by name. They outlive the run. */
  readonly constants: ReadonlyMap<string, Value>;
  readonly types: ReadonlyMap<string, TensorType>;
  readonly initializers: ReadonlyMap<string, HostTensor>;
  /** Values that shapes determine before anything is computed. */
  readonly known: ReadonlyMap<string, HostTensor>;
  /** Float32 inputs that were fed as host tensors. */
  readonly fed: ReadonlyMap<string, HostTensor>;
}

/** One run of a compiled network: every value that it has computed and may still read. */
export class Run implements Surroundings {
  constructor(
    private readonly parts: RunParts,
    readonly values: Map<string, Value>,
    /** What it has off the tape: inputs, shapes, axes, indices. */
    private readonly hosts: Map<string, HostTensor>,
  ) {}

  get tape(): Tape {
    return this.parts.tape;
  }

  get types(): ReadonlyMap<string, TensorType> {
    return this.parts.types;
  }

  get constants(): ReadonlyMap<string, Value> {
    return this.parts.constants;
  }

  get known(): ReadonlyMap<string, HostTensor> {
    return this.parts.known;
  }

  /** A float32 value by its name, of this run or a constant. */
  find(name: string): Value | undefined {
    const value = this.values.get(name) ?? this.parts.constants.get(name);
    const host = value ? undefined : this.offTape(name);
    return host?.dtype === 'float32' ? this.tape.constant(host.data as Float32Array, host.dims) : value;
  }

  private offTape(name: string): HostTensor | undefined {
    const { known, initializers } = this.parts;
    return this.hosts.get(name) ?? known.get(name) ?? initializers.get(name);
  }

  host(name: string): HostTensor | undefined {
    return this.offTape(name) ?? this.parts.fed.get(name);
  }

  keepHost(name: string, tensor: HostTensor): void {
    this.hosts.set(name, tensor);
  }

  keep(name: string, result: Value | HostTensor): void {
    if (result instanceof Value) this.values.set(name, result);
    else if (result.dtype !== 'float32') this.keepHost(name, result);
    else this.values.set(name, this.tape.constant(result.data as Float32Array, result.dims));
  }

  /** Whether a node reads no value of the tape: shapes, axes, indices. */
  isOffTape({ inputs }: GraphNode): boolean {
    return inputs.every((name) => name === '' || (!this.parts.constants.has(name) && this.offTape(name) !== undefined));
  }

  /** A copy of the state for another continuation; both must be released. */
  fork(): Run {
    for (const { buffer } of this.values.values()) buffer.references += 1;
    return new Run(this.parts, new Map(this.values), new Map(this.hosts));
  }

  /** Hands values of these names to another run on the same tape; whether it has any. */
  share(other: Run, names: readonly string[]): boolean {
    let any = false;
    for (const name of names) {
      const value = this.values.get(name);
      if (!value) continue;
      any = true;
      if (other.values.has(name)) continue;
      value.buffer.references += 1;
      other.values.set(name, value);
    }
    return any;
  }

  /** Releases values that no later step reads. */
  forget(names: readonly string[]): void {
    for (const name of names) {
      const gone = this.values.get(name);
      if (gone) this.tape.release(gone);
      this.values.delete(name);
    }
  }

  /** Frees its memory. */
  letGo(): void {
    for (const value of this.values.values()) this.tape.release(value);
    this.values.clear();
  }
}
