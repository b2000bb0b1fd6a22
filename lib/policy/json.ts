// Policies as JSON. Schema 2 has the name of each node's scheme; schema 1, which had bit widths alone, still loads.
import { describe, InvalidArgumentError } from '../core/errors.js';
import { integerFormat } from '../format/numeric_format.js';
import { formatScheme, parseScheme, type Scheme, schemeOf } from '../format/scheme.js';
import type { Graph } from '../graph/graph.js';
import { checkPolicy, type Policy, policyNodes } from './policy.js';

const SCHEMA = 'faultline.policy/2';
const SCHEMA_OF_BITS = 'faultline.policy/1';

/** What JSON.stringify writes: { schema, nodes: { name: `W8A8` }, excluded: [name] }. */
export interface PolicyJson {
  readonly schema: typeof SCHEMA;
  /** Names of schemes by name of node. */
  readonly nodes: Readonly<Record<string, string>>;
  readonly excluded: readonly string[];
}

/** A policy as JSON, `policyFromJson` the way back. */
export function policyToJson(policy: Policy): PolicyJson {
  const nodes = [...policy.schemes].map(([name, scheme]) => [name, formatScheme(scheme)]);
  return { schema: SCHEMA, nodes: Object.fromEntries(nodes), excluded: [...policy.excluded] };
}

const operation = 'policyFromJson';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A node's entry in a file: the name of a scheme or, in files of schema 1, two bit widths. */
export function schemeFromJson(argument: string, value: unknown): Scheme {
  if (typeof value === 'string') return parseScheme(value, operation, argument);
  if (!isObject(value)) throw new InvalidArgumentError(operation, argument, 'the name of a scheme', describe(value));
  const { weightBits, activationBits } = value as { weightBits: number; activationBits: number };
  return schemeOf(
    integerFormat(weightBits, operation, `weightBits of ${argument}`),
    integerFormat(activationBits, operation, `activationBits of ${argument}`),
  );
}

/**
 * A policy from parsed JSON of either schema, its nodes in the order of the graph. Throws InvalidArgumentError on an
 * invalid policy or scheme, GraphError naming a node that is unknown or missing.
 */
export function policyFromJson(graph: Graph, json: unknown): Policy {
  if (!isObject(json)) throw new InvalidArgumentError(operation, 'json', 'an object', describe(json));
  const { schema, nodes, excluded = [] } = json;
  if (schema !== SCHEMA && schema !== SCHEMA_OF_BITS) {
    throw new InvalidArgumentError(operation, 'schema', `"${SCHEMA}" or "${SCHEMA_OF_BITS}"`, describe(schema));
  }
  if (!isObject(nodes)) throw new InvalidArgumentError(operation, 'nodes', 'an object', describe(nodes));
  if (!Array.isArray(excluded) || !excluded.every((name) => typeof name === 'string')) {
    throw new InvalidArgumentError(operation, 'excluded', 'an array of node names', describe(excluded));
  }
  const read = new Map(Object.entries(nodes).map(([name, value]) => [name, schemeFromJson(`"${name}"`, value)]));
  const policy: Policy = { schemes: read, excluded: new Set<string>(excluded) };
  checkPolicy(graph, policy);
  const names = policyNodes(graph).map(({ name }) => name);
  const schemes = names.flatMap((name): [string, Scheme][] => {
    const scheme = read.get(name);
    return scheme ? [[name, scheme]] : [];
  });
  return { schemes: new Map(schemes), excluded: policy.excluded };
}
