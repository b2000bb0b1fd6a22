// Cell units: a step of one moves a weight by its cell, and gradients follow by the chain rule.
import assert from 'node:assert/strict';
import { Parameters } from '../../../lib/graph/parameters.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { buildModel } from '../../../lib/models/index.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { cellUnits } from '../../../lib/train/cell_units.js';
import { weightCells } from '../../../lib/train/cells.js';

describe('cell units', () => {
  it('a step of Adam moves every weight by one share of its cell, every bias by four', () => {
    const graph = simplify(buildModel('convnet2', { seed: 1 })).graph;
    const policy = uniformPolicy(graph, 'W4A4');
    const parameters = new Parameters(graph);
    const before = parameters.values.slice();
    const coordinates = cellUnits(graph, policy)(parameters);
    for (let i = 0; i < coordinates.values.length; i++) {
      coordinates.values[i] = (coordinates.values[i] as number) + 0.25;
    }
    coordinates.changed();
    for (const { weight, bias, stride, widths } of weightCells(graph, policy)) {
      const of = (name: string) => parameters.get(name) as { data: Float32Array; offset: number };
      const { data, offset } = of(weight);
      data.forEach((value, i) => {
        const cell = widths[Math.floor(i / stride) % widths.length] as number;
        // Values of up to 8 units rounded to float32.
        assert.ok(Math.abs((value - (before[offset + i] as number)) / cell - 0.25) < 2 ** -18);
      });
      of(bias as string).data.forEach((value, channel) => {
        const moved = value - (before[of(bias as string).offset + channel] as number);
        assert.ok(Math.abs(moved / (widths[channel] as number) - 1) < 2 ** -18);
      });
    }
  });

  it('gradients are those of the weights, by the chain rule', () => {
    const graph = simplify(buildModel('convnet2', { seed: 1 })).graph;
    const parameters = new Parameters(graph);
    const policy = uniformPolicy(graph, 'W4A4');
    const coordinates = cellUnits(graph, policy)(parameters);
    parameters.gradients.fill(1);
    coordinates.gather();
    for (const { weight, widths } of weightCells(graph, policy)) {
      assert.equal(coordinates.gradients[parameters.get(weight)?.offset as number], widths[0]);
    }
  });
});
