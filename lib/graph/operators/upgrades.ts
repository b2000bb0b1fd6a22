// Shared by upgrades from sets before 13: attributes that became inputs, or were removed.
import { integers } from '../../tensor/host_tensor.js';
import type { Upgrade } from '../facts.js';
import type { GraphNode } from '../graph.js';

export function without(node: GraphNode, ...names: string[]): GraphNode {
  return {
    ...node,
    attributes: Object.fromEntries(Object.entries(node.attributes).filter(([name]) => !names.includes(name))),
  };
}

/** A number among the attributes of an old node, or its default. */
export const numberOf = (node: GraphNode, name: string, absent: number) =>
  (node.attributes[name] as number | undefined) ?? absent;

/** To 12, the attribute that is an input now; the node without it, and with an input of that name. */
export function attributeToInput(name: string): Upgrade {
  return (node, call) => {
    const values = node.attributes[name] as number[] | undefined;
    if (!values) return node;
    return { ...without(node, name), inputs: [...node.inputs, call.constant(node, name, integers(values))] };
  };
}
