// One node of a graph as backends on the tape compute it: by its native operations where it has them, by the
// reference where not, off the tape where no value of the tape is read.
import { binary } from '../autograd/ops/binary.js';
import { toRows } from '../autograd/ops/layout.js';
import { unary } from '../autograd/ops/unary.js';
import type { Tape, Value } from '../autograd/tape.js';
import { GraphError } from '../graph/errors.js';
import { describeNode, type GraphNode, type TensorType } from '../graph/graph.js';
import { attributesOf, type NodeState, type Operator, outputTypes, runNode } from '../graph/operator.js';
import type { HostTensor } from '../tensor/host_tensor.js';

/** Where a run finds and leaves what its nodes read and compute. */
export interface Surroundings {
  readonly tape: Tape;
  readonly types: ReadonlyMap<string, TensorType>;
  /** A value off the tape. */
  host(name: string): HostTensor | undefined;
  /** Called with what the reference computed. */
  keep(name: string, result: Value | HostTensor): void;
  /** The same of what stays off the tape. */
  keepHost(name: string, result: HostTensor): void;
}

interface NodeUse {
  readonly node: GraphNode;
  readonly operator: Operator;
  readonly state: NodeState;
  /** Which output to compute, for operators with `eachOutput`. */
  readonly index: number;
  /** Whether others of its outputs are read. */
  readonly readsOthers: boolean;
  readonly relu: boolean;
  readonly clip: readonly [number, number] | undefined;
  readonly residual: Value | undefined;
  /** Nobody reads the residual after this. Default: no. */
  readonly residualEnds?: boolean;
  /** undefined where an input is left out or not a value of the tape. */
  readonly inputs: readonly (Value | undefined)[];
}

/** Computes a node none of whose inputs are on the tape; its outputs are not either. */
export function executeOffTape(node: GraphNode, operator: Operator, around: Surroundings): void {
  const inputs = node.inputs.map((name) => (name === '' ? undefined : around.host(name)));
  keepAll(node, runNode(operator, node, inputs), (name, result) => around.keepHost(name, result));
}

function keepAll(
  node: GraphNode,
  results: readonly HostTensor[],
  keep: (name: string, result: HostTensor) => void,
): void {
  results.forEach((result, index) => {
    const name = node.outputs[index];
    if (name) keep(name, result);
  });
}

/**
 * Computes a node on the tape: its output of number `index`, with residual and ReLU. Undefined where the reference had
 * to: its outputs are kept then, residual and ReLU included. Throws GraphError, also where a gradient would be expected
 * of what the reference computes.
 */
export function execute(use: NodeUse, around: Surroundings): Value | undefined {
  const { node, operator, state, relu, clip, residual, residualEnds = false, index, inputs } = use;
  const { tape } = around;
  const fail = (what: string): never => {
    throw new GraphError(describeNode(node), what);
  };
  const host = (input: number) => around.host(node.inputs[input] ?? '');
  const known = around.types.get(node.outputs[index] as string);
  // Where a shape depends on what an input holds, it is known only now.
  const now = () =>
    outputTypes(
      operator,
      node,
      inputs.map((value, input) => typeOf(value) ?? host(input)),
      host,
    )[index];
  const type = (known?.dims.every((dim) => typeof dim === 'number') ? known : now()) as TensorType;
  if (operator.float !== 'none' && (operator.eachOutput || !use.readsOthers)) {
    const result = operator.float({
      tape,
      attributes: attributesOf(operator, node),
      inputs,
      output: index,
      outputCount: node.outputs.length,
      dtype: type.dtype,
      dims: type.dims as readonly number[],
      relu,
      clip,
      residual,
      residualEnds,
      state,
      host,
      fail,
    });
    if (result) return result;
  }
  if (tape.recording && inputs.some((input) => input?.needsGradient)) {
    fail('full precision has no gradient of this operator in this use');
  }
  tape.trace?.lose();
  const results = runNode(
    operator,
    node,
    inputs.map((value, input) => (value ? hostOf(tape, value) : host(input))),
  );
  const [first] = results;
  if (first?.dtype !== 'float32' || (!residual && !relu && !clip)) {
    keepAll(node, results, (name, result) => around.keep(name, result));
    return undefined;
  }
  const y = tape.constant(first.data as Float32Array, first.dims);
  const sum = residual ? binary(tape, 'add', y, residual) : y;
  const rectified = relu ? unary(tape, 'relu', sum) : sum;
  return clip ? unary(tape, 'clip', rectified, ...clip) : rectified;
}

function typeOf(value: Value | undefined): TensorType | undefined {
  return value && { dtype: 'float32', dims: value.dims };
}

/** A value of the tape as the reference reads it. */
function hostOf(tape: Tape, value: Value): HostTensor {
  return { dtype: 'float32', dims: value.dims, data: toRows(tape, value).data };
}
