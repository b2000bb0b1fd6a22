// An ONNX model being rewritten: nodes and constants added under names that nothing else has. Works on messages, not on a
// Graph, since the integer and com.microsoft operators it writes are none that the interpreters run.
import type { Graph } from '../../graph/graph.js';
import type { AttributeProto, NodeProto, TensorProto, ValueInfoProto } from '../../graph/onnx/messages.js';
import { AttributeType } from '../../graph/onnx/schema.js';
import { tensorToProto } from '../../graph/onnx/tensors.js';
import { floats, type HostTensor, hostTensor } from '../../tensor/host_tensor.js';

type PlainAttributes = Readonly<Record<string, number | readonly number[]>>;

/** The domain of ONNX Runtime's operators. */
export const MICROSOFT = 'com.microsoft';

function intAttributes(attributes: PlainAttributes): AttributeProto[] {
  return Object.entries(attributes).map(([name, value]) =>
    typeof value === 'number'
      ? { name, i: value, type: AttributeType.INT }
      : { name, ints: [...value], type: AttributeType.INTS },
  );
}

/** A name that no other has, and from now on neither. */
function unique(taken: Set<string>, expected: string): string {
  let name = expected;
  for (let number = 2; taken.has(name); number++) name = `${expected}.${number}`;
  taken.add(name);
  return name;
}

export class ModelWriter {
  readonly opset: number;
  readonly nodes: NodeProto[] = [];
  /** Whether a node of com.microsoft was written: the model has to import that domain. */
  usesMicrosoft = false;
  private readonly constants: TensorProto[] = [];
  private readonly valueNames: Set<string>;
  private readonly nodeNames: Set<string>;

  /** `replaced`: names of the nodes that others are written for; these may take their names. */
  constructor(graph: Graph, replaced: ReadonlySet<string>) {
    this.opset = graph.opset;
    const values = graph.nodes.flatMap(({ outputs }) => outputs);
    const inputs = graph.inputs.map(({ name }) => name);
    this.valueNames = new Set([...values, ...inputs, ...graph.initializers.keys()]);
    this.nodeNames = new Set(graph.nodes.map(({ name }) => name).filter((name) => !replaced.has(name)));
  }

  /** The constants of the result: of those supplied and those written, what the nodes or the outputs read. */
  constantsRead(supplied: readonly TensorProto[], outputs: readonly ValueInfoProto[]): TensorProto[] {
    const read = new Set([...this.nodes.flatMap(({ input }) => input ?? []), ...outputs.map(({ name }) => name)]);
    return [...supplied, ...this.constants].filter(({ name }) => read.has(name ?? ''));
  }

  constant(name: string, tensor: HostTensor): string {
    const fresh = unique(this.valueNames, name);
    this.constants.push(tensorToProto(tensor, fresh));
    return fresh;
  }

  scalar(name: string, value: number): string {
    return this.constant(name, floats([], [value]));
  }

  int64s(name: string, values: readonly number[]): string {
    return this.constant(name, hostTensor('int64', [values.length], BigInt64Array.from(values, BigInt)));
  }

  /** Adds a node with one output; returns that value's name: `output` where passed, else one like the node's. */
  node(
    name: string,
    opType: string,
    input: readonly string[],
    options: { readonly attributes?: PlainAttributes; readonly output?: string; readonly domain?: string } = {},
  ): string {
    return this.raw(name, opType, input, intAttributes(options.attributes ?? {}), options.output, options.domain);
  }

  /** The same with attributes as messages: those of another node. */
  raw(
    name: string,
    opType: string,
    input: readonly string[],
    attribute: AttributeProto[],
    output?: string,
    domain?: string,
  ): string {
    const result = output ?? unique(this.valueNames, name);
    if (domain === MICROSOFT) this.usesMicrosoft = true;
    const node: NodeProto = {
      name: unique(this.nodeNames, name),
      opType,
      input: [...input],
      output: [result],
      attribute,
    };
    this.nodes.push(domain === undefined ? node : { ...node, domain });
    return result;
  }

  /** Adds a node with several outputs, named after it. */
  outputs(name: string, opType: string, input: readonly string[], suffixes: readonly string[]): string[] {
    const output = suffixes.map((suffix) => unique(this.valueNames, `${name}.${suffix}`));
    this.nodes.push({
      name: unique(this.nodeNames, name),
      opType,
      input: [...input],
      output: [...output],
      attribute: [],
    });
    return output;
  }
}
