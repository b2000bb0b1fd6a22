// What `quantize` wrote: which form each node took in the ONNX file, and what other runtimes compute otherwise.
import { basename } from 'node:path';
import { z } from 'zod';
import { column, type Document } from '../document.js';
import { plural } from '../format.js';
import { count, defineKind } from '../kind.js';

const quantizeSchema = z.looseObject({
  schema: z.literal('faultline.quantize/1'),
  model: z.string(),
  out: z.string(),
  bytes: count,
  /** Bytes of the weights before; earlier results lack it. */
  weightBytes: count.optional(),
  format: z.string(),
  nodes: z.array(
    z.looseObject({
      node: z.string(),
      form: z.string(),
      bits: z.string().optional(),
      remarks: z.array(z.string()),
    }),
  ),
});

const KIB = 1024;

function quantizeDocument(result: z.output<typeof quantizeSchema>): Document {
  const { model, out, bytes, weightBytes, nodes } = result;
  const forms = new Map<string, number>();
  const remarks = new Map<string, string[]>();
  for (const { node, form, remarks: remarked } of nodes) {
    forms.set(form, (forms.get(form) ?? 0) + 1);
    for (const remark of remarked) remarks.set(remark, [...(remarks.get(remark) ?? []), node]);
  }
  const kib = (size: number) => `${(size / KIB).toFixed(0)} KiB`;
  const counts = [...forms].map(([form, times]) => `${form} ${times}`).join(', ');
  return {
    title: `${basename(model)}, quantized`,
    lead: `${out}: ${kib(bytes)}${weightBytes === undefined ? '' : ` (was ${kib(weightBytes)})`}; ${counts}`,
    facts: [],
    sections: [
      {
        id: 'nodes',
        title: 'Nodes',
        blocks: [
          {
            kind: 'text',
            brief: true,
            text: 'Activation ranges: at run time, one for a whole batch; measured here are batches of one.',
          },
          ...[...remarks].map(([remark, names]) => ({
            kind: 'text' as const,
            brief: true,
            text: `${plural(names.length, 'node')}: ${remark} (${names.join(', ')})`,
          })),
          {
            kind: 'table',
            name: 'nodes',
            caption: 'What became of each quantizable node',
            columns: [
              column('node', 'node', 'text'),
              column('bits', 'bits', 'text'),
              column('form', 'form', 'text'),
              column('remarks', 'remarks', 'text'),
            ],
            rows: nodes.map(({ node, bits, form, remarks: remarked }) => [node, bits, form, remarked.join('; ')]),
          },
        ],
      },
    ],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.quantize/1', result: quantizeSchema, document: quantizeDocument });
