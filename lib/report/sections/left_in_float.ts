// Nodes with constant weights that no policy gives bits: beside every figure of a quantized network.
import { z } from 'zod';
import { type Block, table } from '../document.js';
import { formatQuantity, plural } from '../format.js';
import { count, share } from '../kind.js';

/** Of a result; older ones lack it. */
export const leftInFloatSchema = z
  .array(z.looseObject({ node: z.string(), operator: z.string(), macs: count, share, why: z.string() }))
  .optional();

export function leftInFloatBlocks(nodes: z.output<typeof leftInFloatSchema>): Block[] {
  if (!nodes || nodes.length === 0) return [];
  const part = formatQuantity(100 * nodes.reduce((sum, each) => sum + each.share, 0), 'percent');
  const caption = `${plural(nodes.length, 'node')} with constant weights left in float32 under every policy: ${part} of the multiply-accumulates`;
  return [
    table({ name: 'left-in-float', caption, brief: true }, nodes, [
      ['node', 'node', 'text', ({ node }) => node],
      ['operator', 'operator', 'text', ({ operator }) => operator],
      ['macs', 'MACs a sample', 'magnitude', ({ macs }) => macs],
      ['share', 'of all MACs', 'percent', ({ share }) => 100 * share],
      ['why', 'why', 'text', ({ why }) => why],
    ]),
  ];
}
