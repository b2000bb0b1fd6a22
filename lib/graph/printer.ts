// A graph as a table for people: every node with its output's shape, parameters and multiply-accumulates. 80 columns.
import { isFloat } from '../tensor/dtype.js';
import { formatDims, sizeOf } from '../tensor/host_tensor.js';
import { isQuantizable, operatorOf } from './check.js';
import { formatShape } from './dims.js';
import type { Graph, GraphNode, TensorType, ValueInfo } from './graph.js';
import { inferShapes } from './infer.js';
import { attributesOf } from './operator.js';

/** One line of `formatSummary`. */
export interface NodeSummary {
  readonly name: string;
  readonly operator: string;
  /** What tells one use of the operator from another: "3x3/2 g16". */
  readonly detail: string;
  readonly output: TensorType;
  /** Weights that training learns and no earlier node has (shared weights count once). */
  readonly parameters: number;
  /** Multiply-accumulates for one sample. */
  readonly macs: number;
  /** Whether a policy can give it bits: its operator can be quantized, and its weight is a constant. */
  readonly quantizable: boolean;
}

/** A network as `formatSummary` prints it. */
export interface GraphSummary {
  readonly name: string;
  readonly opset: number;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly nodes: readonly NodeSummary[];
  readonly parameters: number;
  /** Bytes of all initializers. */
  readonly weightBytes: number;
  readonly macs: number;
}

/** Throws GraphError when shapes do not fit together. */
export function summarize(graph: Graph): GraphSummary {
  const types = inferShapes(graph);
  const counted = new Set<string>();
  const nodes = graph.nodes.map((node): NodeSummary => {
    const operator = operatorOf(node);
    const attributes = attributesOf(operator, node);
    const output = types.get(node.outputs[0] ?? '') as TensorType;
    const inputs = node.inputs.map((name) => types.get(name));
    let parameters = 0;
    node.inputs.forEach((name, index) => {
      const tensor = graph.initializers.get(name);
      if (!tensor || counted.has(name) || !isFloat(tensor.dtype) || operator.settings?.includes(index)) return;
      counted.add(name);
      parameters += sizeOf(tensor.dims);
    });
    return {
      name: node.name,
      operator: node.operator,
      detail: detailOf(node, inputs),
      output,
      parameters,
      macs: operator.macs?.(attributes, inputs, output) ?? 0,
      quantizable: isQuantizable(graph, node),
    };
  });
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const bytes = [...graph.initializers.values()].map(({ data }) => ('byteLength' in data ? data.byteLength : 0));
  return {
    name: graph.name,
    opset: graph.opset,
    inputs: graph.inputs,
    outputs: graph.outputs,
    nodes,
    parameters: sum(nodes.map((node) => node.parameters)),
    weightBytes: sum(bytes),
    macs: sum(nodes.map(({ macs }) => macs)),
  };
}

/** Kernel, stride and groups of a window; nothing for other operators. */
function detailOf(node: GraphNode, inputs: readonly (TensorType | undefined)[]): string {
  const list = (name: string) => node.attributes[name] as readonly number[] | undefined;
  const kernel =
    list('kernel_shape') ?? (node.operator === 'Conv' ? (inputs[1]?.dims.slice(2) as number[]) : undefined);
  if (!kernel) return '';
  const strides = list('strides') ?? [];
  const stride = strides.every((each) => each === 1) ? '' : `/${[...new Set(strides)].join('x')}`;
  const group = (node.attributes.group as number | undefined) ?? 1;
  return `${kernel.join('x')}${stride}${group > 1 ? ` g${group}` : ''}`;
}

const COLUMNS = { name: 25, operator: 21, output: 16, parameters: 7, macs: 7 };

/** The table. Long names lose their middle, never their end. */
export function formatSummary(summary: GraphSummary): string {
  const { nodes } = summary;
  const title = summary.name === '' ? 'graph' : summary.name;
  const quantizable = nodes.filter((node) => node.quantizable).length;
  const totals = [
    `${nodes.length} nodes (${quantizable} quantizable *)`,
    `${summary.parameters.toLocaleString('en-US')} parameters`,
    `${compact(summary.macs)} MACs a sample`,
  ];
  const lines = [
    shorten(`${title}: opset ${summary.opset}, weights ${compact(summary.weightBytes)}B`, 80),
    shorten(totals.join(', '), 80),
    ...summary.inputs.map((value) => shorten(`input  ${formatValue(value)}`, 80)),
    ...summary.outputs.map((value) => shorten(`output ${formatValue(value)}`, 80)),
    '',
    row('node', 'operator', 'output', 'params', 'MACs'),
    ...nodes.map((node) => {
      const mark = node.quantizable ? '*' : '';
      const operator = `${node.operator}${mark} ${node.detail}`.trimEnd();
      const parameters = node.parameters > 0 ? compact(node.parameters) : '';
      return row(
        node.name,
        operator,
        formatShape(node.output.dims),
        parameters,
        node.macs > 0 ? compact(node.macs) : '',
      );
    }),
  ];
  return `${lines.join('\n')}\n`;
}

function formatValue({ name, dtype, dims }: ValueInfo): string {
  return `${name}  ${dtype}${dims ? ` ${formatDims(dims)}` : ''}`;
}

function row(name: string, operator: string, output: string, parameters: string, macs: string): string {
  const cells = [
    shorten(name, COLUMNS.name).padEnd(COLUMNS.name),
    shorten(operator, COLUMNS.operator).padEnd(COLUMNS.operator),
    shorten(output, COLUMNS.output).padEnd(COLUMNS.output),
    parameters.padStart(COLUMNS.parameters),
    macs.padStart(COLUMNS.macs),
  ];
  return cells.join(' ').trimEnd();
}

/** A text in at most so many columns: the middle goes, never the end. */
export function shorten(text: string, width: number): string {
  if (text.length <= width) return text;
  const end = Math.floor((width - 1) / 2);
  return `${text.slice(0, width - 1 - end)}…${text.slice(text.length - end)}`;
}

/** 950, 77.4k, 11.2M, 1.81G: three digits. */
export function compact(value: number): string {
  const units = ['', 'k', 'M', 'G', 'T'];
  let unit = 0;
  let scaled = value;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  const digits = unit === 0 || scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)}${units[unit]}`;
}
