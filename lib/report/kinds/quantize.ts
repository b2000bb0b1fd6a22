// What `quantize` wrote: which form each node took in the ONNX file, and what other runtimes compute otherwise.
import { basename } from 'node:path';
import { z } from 'zod';
import { groupBy } from '../../core/group_by.js';
import { type Document, paragraph, section, table } from '../document.js';
import { plural } from '../format.js';
import { count, defineKind } from '../kind.js';
import { leftInFloatBlocks, leftInFloatSchema } from '../sections/left_in_float.js';

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
  leftInFloat: leftInFloatSchema,
});

const KIB = 1024;

function quantizeDocument(result: z.output<typeof quantizeSchema>): Document {
  const { model, out, bytes, weightBytes, nodes, leftInFloat } = result;
  const forms = groupBy(nodes, ({ form }) => form);
  const remarks = groupBy(
    nodes.flatMap(({ node, remarks: all }) => all.map((remark) => ({ node, remark }))),
    ({ remark }) => remark,
  );
  const kib = (size: number) => `${(size / KIB).toFixed(0)} KiB`;
  const was = weightBytes === undefined ? '' : ` (was ${kib(weightBytes)})`;
  const counts = [...forms].map(([form, alike]) => `${form} ${alike.length}`).join(', ');
  return {
    title: `${basename(model)}, quantized`,
    lead: `${out}: ${kib(bytes)}${was}; ${counts}`,
    facts: [],
    sections: section('nodes', 'Nodes', [
      paragraph('Activation ranges: at run time, one for a whole batch; measured here are batches of one.', true),
      ...[...remarks].map(([remark, marked]) => {
        const names = marked.map(({ node }) => node);
        return paragraph(`${plural(names.length, 'node')}: ${remark} (${names.join(', ')})`, true);
      }),
      table({ name: 'nodes', caption: 'What became of each quantizable node' }, nodes, [
        ['node', 'node', 'text', ({ node }) => node],
        ['bits', 'bits', 'text', ({ bits }) => bits],
        ['form', 'form', 'text', ({ form }) => form],
        ['remarks', 'remarks', 'text', ({ remarks: all }) => all.join('; ')],
      ]),
      ...leftInFloatBlocks(leftInFloat),
    ]),
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.quantize/1', result: quantizeSchema, document: quantizeDocument });
