// Weight cells: those of the integer engine.
import assert from 'node:assert/strict';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { weightCells } from '../../../lib/train/cells.js';

describe('weight cells', () => {
  it('are those of each output channel, the middle axis of a Gemm that is not transposed too', () => {
    const graph = simplify(buildModel('resnet8', { seed: 1 })).graph;
    const policy = uniformPolicy(graph, 'W4A8');
    const cells = weightCells(graph, policy);
    assert.deepEqual(
      cells.map(({ node }) => node),
      [...policy.schemes.keys()],
    );
    for (const { node, data, stride, widths, codes, most } of cells) {
      assert.equal(most, 7, node);
      const largest = new Float64Array(widths.length);
      data.forEach((value, i) => {
        const channel = Math.floor(i / stride) % widths.length;
        largest[channel] = Math.max(largest[channel] as number, Math.abs(value));
        // Half a cell, and what a quotient in float32 rounds away.
        assert.ok(Math.abs(value / (widths[channel] as number) - (codes[i] as number)) <= 0.5 + 2 ** -20);
      });
      widths.forEach((width, channel) => {
        assert.equal(width, Math.fround(Math.fround(largest[channel] as number) / 7), `${node} ${channel}`);
      });
    }
  });
});
