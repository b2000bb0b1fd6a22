// Input-conditioned policies as JSON: the budget, the nodes in their order, what features are standardised by, and the
// networks of gate and actor as ONNX files, base64.

import { describe, InvalidArgumentError } from '../core/errors.js';

import { formatScheme } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { schemeFromJson } from '../policy/json.js';
import { InputPolicy } from './input_policy.js';
import { Mlp } from './mlp.js';
import { Observer, STATISTICS, Standardizer } from './observation.js';
import { type ActivationBudget, ActivationSpace } from './space.js';

const SCHEMA = 'faultline.input-policy/1';
const OPERATION = 'inputPolicyFromJson';

interface ScaleJson {
  readonly mean: string;
  readonly deviation: string;
}

/** A policy by input as JSON. */
export interface InputPolicyJson {
  readonly schema: typeof SCHEMA;
  readonly budget: {
    readonly bits: number;
    readonly tolerance: number;
    readonly weighting: string;
    readonly counted: string;
    /** `W8A4`, … */
    readonly choices: readonly string[];
    readonly pinned: Readonly<Record<string, string>>;
    readonly excluded: readonly string[];
  };
  /** Names in the order of choice. */
  readonly nodes: readonly string[];
  /** Cells of the small picture along each side. */
  readonly grid: number;
  readonly inputScale: ScaleJson;
  readonly nodeScales: readonly ScaleJson[];
  /** Static policies that are suggested: activation bits, one for each node. */
  readonly candidates: readonly (readonly number[])[];
  readonly pull: number;
  /** ONNX, base64; null where the policy has none. */
  readonly gate: string | null;
  readonly actor: string | null;
}

const encode = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
const floatsToText = (values: Float32Array) =>
  encode(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

/** A policy by input as JSON, `inputPolicyFromJson` the way back. */
export function inputPolicyToJson(policy: InputPolicy): InputPolicyJson {
  const { space, observer, inputScale, nodeScales, candidates, gate, actor, pull } = policy;
  const { bits, tolerance = 0, weighting = 'nodes', counted = 'both', choices, pinned, excluded } = space.given;
  const scale = ({ mean, deviation }: Standardizer) => ({
    mean: floatsToText(mean),
    deviation: floatsToText(deviation),
  });
  return {
    schema: SCHEMA,
    budget: {
      bits,
      tolerance,
      weighting,
      counted,
      choices: choices.map((choice) => (typeof choice === 'string' ? choice : formatScheme(choice))),
      pinned: Object.fromEntries([...(pinned ?? [])].map(([name, scheme]) => [name, formatScheme(scheme)])),
      excluded: [...(excluded ?? [])],
    },
    nodes: [...space.names],
    grid: observer.grid,
    inputScale: scale(inputScale),
    nodeScales: nodeScales.map(scale),
    candidates: candidates.map((candidate) =>
      Array.from(candidate, (option, node) => space.options[node]?.[option] as number),
    ),
    pull,
    gate: gate ? encode(gate.toOnnx()) : null,
    actor: actor ? encode(actor.toOnnx()) : null,
  };
}

function refuse(what: string, expected: string, received: unknown): never {
  throw new InvalidArgumentError(OPERATION, what, expected, describe(received));
}

type Fields = Readonly<Record<string, unknown>>;

function object(what: string, value: unknown): Fields {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  return refuse(what, 'an object', value);
}

function list(what: string, value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : refuse(what, 'an array', value);
}

function strings(what: string, value: unknown): string[] {
  const items = list(what, value);
  return items.every((item) => typeof item === 'string') ? (items as string[]) : refuse(what, 'strings', value);
}

function text(what: string, value: unknown): string {
  return typeof value === 'string' ? value : refuse(what, 'a string', value);
}

function floatsOf(what: string, value: unknown, length?: number): Float32Array {
  const bytes = Uint8Array.from(Buffer.from(text(what, value), 'base64'));
  const values = new Float32Array(bytes.buffer, 0, Math.floor(bytes.length / Float32Array.BYTES_PER_ELEMENT));
  const whole = bytes.length % Float32Array.BYTES_PER_ELEMENT === 0;
  if (!whole || (length !== undefined && values.length !== length)) {
    const expected = length === undefined ? 'float32 numbers' : `${length} float32 numbers`;
    throw new InvalidArgumentError(OPERATION, what, expected, `${bytes.length} bytes`);
  }
  return values;
}

function scaleOf(what: string, value: unknown, length?: number): Standardizer {
  const fields = object(what, value);
  const mean = floatsOf(`${what}.mean`, fields.mean, length);
  return new Standardizer(mean, floatsOf(`${what}.deviation`, fields.deviation, mean.length));
}

function spaceOf(graph: Graph, fields: Fields): ActivationSpace {
  const budget = object('budget', fields.budget);
  const excluded = strings('budget.excluded', budget.excluded);
  const pins = Object.entries(object('budget.pinned', budget.pinned));
  const pinned = new Map(pins.map(([name, value]) => [name, schemeFromJson(`budget.pinned of "${name}"`, value)]));
  const names = strings('nodes', fields.nodes);
  const choices = strings('budget.choices', budget.choices);
  const given = { ...budget, choices, excluded, pinned } as unknown as ActivationBudget;
  return new ActivationSpace(
    graph,
    names.map((name) => ({ name })),
    given,
  );
}

/**
 * A policy for this graph, or the same with its batch norms folded. Throws InvalidArgumentError on an invalid policy,
 * GraphError naming a node that the graph lacks.
 */
export function inputPolicyFromJson(graph: Graph, json: unknown): InputPolicy {
  const fields = object('json', json);
  if (fields.schema !== SCHEMA) refuse('schema', `"${SCHEMA}"`, fields.schema);
  const space = spaceOf(graph, fields);
  const nodes = space.names.length;
  const { grid, pull } = fields;
  if (!Number.isInteger(grid) || (grid as number) < 1) refuse('grid', 'an integer ≥ 1', grid);
  if (typeof pull !== 'number' || !Number.isFinite(pull)) refuse('pull', 'a number', pull);
  const nodeScales = list('nodeScales', fields.nodeScales).map((scale, i) =>
    scaleOf(`nodeScales[${i}]`, scale, STATISTICS),
  );
  if (nodeScales.length !== nodes) refuse('nodeScales', `${nodes} of them`, nodeScales.length);
  const candidates = list('candidates', fields.candidates).map((candidate, i) => {
    const bits = list(`candidates[${i}]`, candidate);
    const options = space.names.map((_, node) => space.options[node]?.indexOf(bits[node] as number) ?? -1);
    if (bits.length !== nodes || options.includes(-1))
      refuse(`candidates[${i}]`, `${nodes} of the bits to choose`, candidate);
    return Uint8Array.from(options);
  });
  const network = (what: 'gate' | 'actor') => {
    if (fields[what] === null) return undefined;
    return Mlp.fromOnnx(Uint8Array.from(Buffer.from(text(what, fields[what]), 'base64')), what);
  };
  const policy = new InputPolicy({
    space,
    observer: new Observer(grid as number),
    inputScale: scaleOf('inputScale', fields.inputScale),
    nodeScales,
    candidates,
    gate: network('gate'),
    actor: network('actor'),
    pull: pull as number,
  });
  const { gate, actor, inputScale } = policy;
  if (gate && (gate.inputs !== inputScale.mean.length || gate.outputs !== candidates.length)) {
    refuse('gate', `${inputScale.mean.length} inputs, ${candidates.length} outputs`, `${gate.inputs}, ${gate.outputs}`);
  }
  if (actor && (actor.inputs !== policy.features || actor.outputs !== space.width + 1)) {
    refuse('actor', `${policy.features} inputs, ${space.width + 1} outputs`, `${actor.inputs}, ${actor.outputs}`);
  }
  return policy;
}
