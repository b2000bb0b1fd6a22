// An ONNX model as a Graph. Weights are kept bit for bit. All unsupported nodes are listed at once; every
// difference of the graph from the file (names made unique, old operator sets upgraded) is a note.
import { type HostTensor, MAX_RANK } from '../../tensor/host_tensor.js';
import { FIRST_OPSET, isLiteral, LAST_OPSET, nodeProblem, operatorOf } from '../check.js';
import { type Dim, UNKNOWN } from '../dims.js';
import { GraphError, OnnxFormatError, type UnsupportedNode, UnsupportedOperatorsError } from '../errors.js';
import { type AttributeValue, Graph, type GraphNode, type ModelMetadata, type ValueInfo } from '../graph.js';
import { attributesOf, TRAINING_MODE } from '../operator.js';
import { revealWeights } from '../passes/index.js';
import { type InputShapes, pinInputs } from '../pin_inputs.js';
import { AttributeError, attributeFromProto } from './attributes.js';
import { decodeModel, readModel } from './codec.js';
import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  toBigInt,
  toSafeInteger,
  type ValueInfoProto,
} from './messages.js';
import { dtypeFromOnnx, tensorFromProto } from './tensors.js';
import { Upgrader, upgradeNode } from './upgrade.js';

/** A graph, and the changes made on import. */
export interface ImportedModel {
  readonly graph: Graph;
  /** Differences from the file, in sentences. */
  readonly notes: readonly string[];
}

/** Options for what the file leaves open. */
export interface ImportOptions {
  /** Shapes for inputs whose dimensions the file leaves open: `{ x: ['N', 3, 48, 320] }`. */
  readonly inputs?: InputShapes | undefined;
  /** Leaves half precision, and weights that the file computes from constants, as they are. */
  readonly raw?: true | undefined;
}

/** Whether a message has the field; reading one that it lacks gives the type's default. */
const isPresent = (message: object, field: string) => Object.hasOwn(message, field);

/** Of one dimension: a tensor of more elements fits in no memory. */
const MOST_SIZE = BigInt(Number.MAX_SAFE_INTEGER);

const isOwnDomain = (domain: string | undefined) => !domain || domain === 'ai.onnx';

/**
 * Reads a `.onnx` file: the network that every command judges, its computed weights folded so that policies can give
 * them bits. Throws OnnxFormatError, UnsupportedOperatorsError or GraphError; each message names the file.
 */
export async function loadModel(path: string, options: ImportOptions = {}): Promise<ImportedModel> {
  const { graph, notes } = graphFromModel(await readModel(path), path, options);
  if (options.raw) return { graph, notes };
  const { graph: revealed, log } = named(path, () => revealWeights(graph));
  const half = log.find(({ pass }) => pass === 'widenHalf');
  const made = log.filter(({ pass }) => pass === 'foldConstants').length;
  const more = made > 0 ? [`${made} nodes of constants alone are initializers now`] : [];
  return { graph: revealed, notes: [...notes, ...(half ? [half.what] : []), ...more] };
}

/** The graph in the bytes of a `.onnx` file; `source` stands for the file in messages. */
export function importModel(bytes: Uint8Array, source = 'ONNX model', options: ImportOptions = {}): ImportedModel {
  return graphFromModel(decodeModel(bytes, source), source, options);
}

export function graphFromModel(model: ModelProto, source: string, options: ImportOptions = {}): ImportedModel {
  const proto = model.graph ?? {};
  const notes: string[] = [];
  const opset = opsetOf(model, source);
  if (proto.sparseInitializer?.length) throw new OnnxFormatError(source, 'sparse initializers are not supported');
  const initializers = readInitializers(proto, source);
  const inputs = readInputs(proto, initializers, source, notes);
  const outputs = new Set((proto.output ?? []).map(({ name }) => name ?? ''));
  const nodes = readNodes(
    inOrder(proto.node ?? [], source, notes),
    opset,
    initializers,
    inputs,
    outputs,
    source,
    notes,
  );
  return named(source, () => {
    const graph = new Graph({
      name: proto.name ?? '',
      opset: Math.max(opset, FIRST_OPSET),
      inputs,
      outputs: (proto.output ?? []).map((value) => readValue(value, 'output', source)),
      nodes,
      initializers,
      values: new Map((proto.valueInfo ?? []).flatMap((value) => innerValue(value, source))),
      metadata: readMetadata(model),
    });
    return { graph: options.inputs ? pinInputs(graph, options.inputs) : graph, notes };
  });
}

/** What `make` makes; a GraphError names the file. */
function named<Result>(source: string, make: () => Result): Result {
  try {
    return make();
  } catch (error) {
    if (error instanceof GraphError) throw new GraphError(`${source}: ${error.where}`, error.what);
    throw error;
  }
}

function opsetOf(model: ModelProto, source: string): number {
  const imported = (model.opsetImport ?? []).filter(({ domain }) => isOwnDomain(domain));
  const version = imported.length === 1 ? toSafeInteger(imported[0]?.version ?? 0) : undefined;
  if (version === undefined)
    throw new OnnxFormatError(source, 'expected one version of the ONNX operator set, received none or several');
  if (version < 1 || version > LAST_OPSET) {
    throw new OnnxFormatError(source, `expected operator set 1 to ${LAST_OPSET}, received ${version}`);
  }
  return version;
}

function readInitializers(proto: GraphProto, source: string): Map<string, HostTensor> {
  const initializers = new Map<string, HostTensor>();
  for (const tensor of proto.initializer ?? []) {
    const name = tensor.name ?? '';
    if (initializers.has(name)) throw new GraphError(source, `two initializers are named "${name}"`);
    initializers.set(name, tensorFromProto(tensor, source));
  }
  return initializers;
}

function readInputs(
  proto: GraphProto,
  initializers: ReadonlyMap<string, HostTensor>,
  source: string,
  notes: string[],
): ValueInfo[] {
  const declared = proto.input ?? [];
  const inputs = declared.filter(({ name }) => !initializers.has(name ?? ''));
  const defaults = declared.length - inputs.length;
  if (defaults > 0) notes.push(`${defaults} inputs have an initializer as their default: they become constants`);
  return inputs.map((value) => readValue(value, 'input', source));
}

function readValue(value: ValueInfoProto, what: string, source: string): ValueInfo {
  const name = value.name ?? '';
  const where = `${source}: ${what} "${name}"`;
  const tensor = value.type?.tensorType;
  if (!tensor) throw new OnnxFormatError(where, 'expected a tensor, received another kind of value');
  const dtype = dtypeFromOnnx(tensor.elemType ?? 0, where);
  if (!tensor.shape) return { name, dtype };
  const rank = tensor.shape.dim?.length ?? 0;
  if (rank > MAX_RANK) throw new OnnxFormatError(where, `expected at most ${MAX_RANK} dimensions, received ${rank}`);
  const dims = (tensor.shape.dim ?? []).map((dim): Dim => {
    if (!isPresent(dim, 'dimValue')) return dim.dimParam || UNKNOWN;
    const size = toBigInt(dim.dimValue ?? 0);
    if (size > MOST_SIZE)
      throw new OnnxFormatError(where, `expected dimensions of at most ${MOST_SIZE}, received ${size}`);
    return size >= 0 ? Number(size) : UNKNOWN;
  });
  return { name, dtype, dims };
}

/** A declared inner value; values that are not tensors are skipped. */
function innerValue(value: ValueInfoProto, source: string): [string, ValueInfo][] {
  if (!value.type?.tensorType || !value.name) return [];
  return [[value.name, readValue(value, 'value', source)]];
}

function readNodes(
  protos: readonly NodeProto[],
  opset: number,
  initializers: Map<string, HostTensor>,
  inputs: readonly ValueInfo[],
  outputs: ReadonlySet<string>,
  source: string,
  notes: string[],
): GraphNode[] {
  const taken = new Set(protos.map(({ name }) => name ?? ''));
  const seen = new Set<string>();
  const unsupported: UnsupportedNode[] = [];
  let constants = 0;
  const upgrader = new Upgrader(initializers, inputs, opset, notes);
  protos.forEach((proto, index) => {
    const name = uniqueName(proto, index, seen, taken);
    if (proto.name && name !== proto.name) notes.push(`a second node named "${proto.name}" is "${name}" now`);
    const operator = proto.opType ?? '';
    const refuse = (reason: string) => unsupported.push({ operator, node: name, reason });
    if (!isOwnDomain(proto.domain)) {
      unsupported.push({ operator: `${proto.domain}.${operator}`, node: name });
      return;
    }
    try {
      const attributes = new Map<string, AttributeValue>();
      for (const attribute of proto.attribute ?? []) {
        const [key, value] = attributeFromProto(attribute, `${source}: ${operator} (${name})`);
        if (attributes.has(key)) throw new AttributeError(`attribute ${key} is given twice`);
        attributes.set(key, value);
      }
      const node: GraphNode = {
        name,
        operator,
        inputs: trimEnd(proto.input ?? []),
        outputs: trimEnd(proto.output ?? []),
        attributes: Object.fromEntries(attributes),
      };
      const upgraded = opset < FIRST_OPSET ? upgradeNode(node, upgrader) : node;
      const problem = nodeProblem(upgraded, Math.max(opset, FIRST_OPSET)) ?? trainingProblem(upgraded, initializers);
      if (problem === 'unknown operator') unsupported.push({ operator, node: name });
      else if (problem) refuse(problem);
      else if (isLiteral(upgraded) && !outputs.has(node.outputs[0] ?? '') && upgrader.take(upgraded)) constants++;
      else upgrader.nodes.push(upgraded);
    } catch (error) {
      if (error instanceof GraphError) throw new GraphError(`${source}: ${error.where}`, error.what);
      if (!(error instanceof AttributeError)) throw error;
      refuse(error.message);
    }
  });
  if (constants > 0) notes.push(`${constants} Constant nodes are initializers now`);
  if (unsupported.length > 0) throw new UnsupportedOperatorsError(source, unsupported);
  return upgrader.nodes;
}

/** Why a node that computes as in training is refused. */
function trainingProblem(node: GraphNode, initializers: ReadonlyMap<string, HostTensor>): string | undefined {
  const operator = operatorOf(node);
  const constant = (index: number) => initializers.get(node.inputs[index] ?? '');
  return operator.trains?.(attributesOf(operator, node), constant) ? TRAINING_MODE : undefined;
}

/** Nodes before those that read them, else as in the file. Throws GraphError where they form a cycle. */
function inOrder(protos: readonly NodeProto[], source: string, notes: string[]): readonly NodeProto[] {
  const producers = new Map<string, number>();
  protos.forEach(({ output }, index) => {
    for (const name of output ?? []) if (name !== '') producers.set(name, index);
  });
  const late = ({ input }: NodeProto, index: number) =>
    (input ?? []).some((name) => (producers.get(name) ?? -1) >= index);
  if (!protos.some(late)) return protos;
  const sorted: NodeProto[] = [];
  const entered = new Uint8Array(protos.length);
  const done = new Uint8Array(protos.length);
  for (let first = 0; first < protos.length; first++) {
    // Producers first, on a stack of the nodes that wait for them.
    for (const stack = done[first] ? [] : [first]; stack.length > 0; ) {
      const index = stack.at(-1) as number;
      const proto = protos[index] as NodeProto;
      const before = entered[index] ? [] : (proto.input ?? []).map((name) => producers.get(name) ?? -1);
      const waiting = [...new Set(before)].filter((producer) => producer >= 0 && !done[producer]).reverse();
      const cycle = waiting.find((producer) => producer === index || entered[producer]);
      if (cycle !== undefined) {
        const where = `${source}: ${proto.opType} (${proto.name || `node ${index}`})`;
        throw new GraphError(where, `expected nodes without a cycle, received one through "${proto.output?.[0]}"`);
      }
      entered[index] = 1;
      stack.push(...waiting);
      if (waiting.length > 0) continue;
      stack.pop();
      if (!done[index]) sorted.push(proto);
      done[index] = 1;
    }
  }
  notes.push('nodes that read values of later ones are sorted: each comes after those that it reads');
  return sorted;
}

/** The node's name, or operator and number where it has none or shares it. */
function uniqueName(proto: NodeProto, index: number, seen: Set<string>, taken: Set<string>): string {
  let name = proto.name ?? '';
  if (name === '' || seen.has(name)) {
    name = `${proto.opType}_${index}`;
    while (taken.has(name)) name += '_';
    taken.add(name);
  }
  seen.add(name);
  return name;
}

/** Removes trailing '': optional values left out at the end. */
function trimEnd(names: readonly string[]): string[] {
  let length = names.length;
  while (length > 0 && names[length - 1] === '') length--;
  return names.slice(0, length);
}

function readMetadata(model: ModelProto): ModelMetadata {
  const { irVersion, producerName, producerVersion, domain, modelVersion, docString, metadataProps } = model;
  const present = (text: string | undefined) => (text === '' ? undefined : text);
  const entries = {
    irVersion: isPresent(model, 'irVersion') ? toSafeInteger(irVersion ?? 0) : undefined,
    producerName: present(producerName),
    producerVersion: present(producerVersion),
    domain: present(domain),
    modelVersion: isPresent(model, 'modelVersion') ? toBigInt(modelVersion ?? 0) : undefined,
    docString: present(docString),
    properties: metadataProps?.length
      ? Object.fromEntries(metadataProps.map(({ key, value }) => [key ?? '', value ?? '']))
      : undefined,
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as ModelMetadata;
}
