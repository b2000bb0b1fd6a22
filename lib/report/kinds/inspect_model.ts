// What `inspect model.onnx` found: the nodes of a network with shapes, parameters and multiply-accumulates.
import { basename } from 'node:path';
import { z } from 'zod';
import { bullets, type Document, section, table } from '../document.js';
import { formatNumber } from '../format.js';
import { count, defineKind } from '../kind.js';

const dims = z.array(z.union([z.string(), z.number()]));
const valueSchema = z.looseObject({ name: z.string(), dtype: z.string(), dims: dims.optional() });

const modelSchema = z.looseObject({
  schema: z.literal('faultline.inspectModel/1'),
  file: z.string(),
  name: z.string(),
  opset: count,
  inputs: z.array(valueSchema),
  outputs: z.array(valueSchema),
  nodes: z.array(
    z.looseObject({
      name: z.string(),
      operator: z.string(),
      /** Kernel, stride and groups of a window: "3x3/2 g16". */
      detail: z.string(),
      output: z.looseObject({ dtype: z.string(), dims }),
      parameters: count,
      /** Multiply-accumulates of one sample. */
      macs: count,
      quantizable: z.boolean(),
    }),
  ),
  parameters: count,
  weightBytes: count,
  macs: count,
  /** What differs from the file. */
  notes: z.array(z.string()),
});

type Model = z.output<typeof modelSchema>;

const shapeText = (shape: readonly (string | number)[]) => `[${shape.join(',')}]`;

const valueText = ({ name, dtype, dims: shape }: Model['inputs'][number]) =>
  `${name} ${dtype}${shape ? ` ${shapeText(shape)}` : ''}`;

function modelDocument(model: Model): Document {
  const { file, name, opset, inputs, outputs, nodes, parameters, weightBytes, macs, notes } = model;
  const quantizable = nodes.filter((node) => node.quantizable).length;
  const ends = [
    ...inputs.map((value) => `input ${valueText(value)}`),
    ...outputs.map((value) => `output ${valueText(value)}`),
  ];
  const shown = table({ name: 'nodes', caption: 'Nodes in order; * can be quantized', brief: true }, nodes, [
    ['node', 'node', 'text', (node) => node.name],
    [
      'operator',
      'operator',
      'text',
      (node) => `${node.operator}${node.quantizable ? '*' : ''} ${node.detail}`.trimEnd(),
    ],
    ['output', 'output', 'text', ({ output }) => shapeText(output.dims)],
    ['parameters', 'parameters', 'magnitude', (node) => node.parameters, { short: 'params' }],
    ['macs', 'MACs a sample', 'magnitude', (node) => node.macs, { short: 'MACs' }],
  ]);
  return {
    title: `${name === '' ? basename(file) : name}: opset ${opset}, weights ${formatNumber(weightBytes, 'magnitude')}B`,
    lead:
      `${nodes.length} nodes (${quantizable} quantizable *), ${formatNumber(parameters, 'count')} parameters, ` +
      `${formatNumber(macs, 'magnitude')} MACs a sample`,
    facts: [],
    sections: [
      ...section('nodes', 'Nodes', [...bullets(ends, true), shown]),
      ...section('notes', 'Read differently', bullets(notes)),
    ],
    footer: '',
  };
}

export const kind = defineKind({ schema: 'faultline.inspectModel/1', result: modelSchema, document: modelDocument });
