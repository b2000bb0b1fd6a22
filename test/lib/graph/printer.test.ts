// The table of faultline inspect: what it says, and that it fits a terminal.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { compact, formatSummary, summarize } from '../../../lib/graph/printer.js';
import { ARCHITECTURE_NAMES, buildModel } from '../../../lib/models/index.js';
import { floats, zeros } from '../../../lib/tensor/host_tensor.js';

describe('the table of a graph', () => {
  it('lists nodes, shapes, parameters and multiply-accumulates', () => {
    const builder = new GraphBuilder('tiny');
    const x = builder.input('x', ['N', 4, 8, 8]);
    const w = builder.initializer('w', zeros('float32', [8, 2, 3, 3]));
    const attributes = { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] };
    const conv = builder.node('conv', 'Conv', [x, w], { attributes });
    const six = builder.initializer('six', floats([], [6]));
    builder.output(builder.node('a.very.long.name.that.does.not.fit.at.all', 'Clip', [conv, '', six]));
    assert.equal(
      formatSummary(summarize(builder.build())),
      [
        'tiny: opset 17, weights 580B',
        '2 nodes (1 quantizable *), 144 parameters, 2.30k MACs a sample',
        'input  x  float32 [N,4,8,8]',
        'output a.very.long.name.that.does.not.fit.at.all  float32 [N,8,4,4]',
        '',
        'node                      operator              output            params    MACs',
        'conv                      Conv* 3x3/2 g2        [N,8,4,4]            144   2.30k',
        'a.very.long.…t.fit.at.all Clip                  [N,8,4,4]',
        '',
      ].join('\n'),
    );
  });

  it('counts a shared weight once, and a batch as one sample', () => {
    const builder = new GraphBuilder('shared');
    const w = builder.initializer('w', zeros('float32', [4, 4]));
    const first = builder.node('a', 'MatMul', [builder.input('x', [32, 4]), w]);
    builder.output(builder.node('b', 'MatMul', [first, w]));
    const { nodes, parameters } = summarize(builder.build());
    assert.equal(parameters, 16);
    assert.deepEqual(
      nodes.map(({ macs }) => macs),
      [512, 512], // a batch of known size is not one sample: it counts in full
    );
  });

  it('is at most 80 columns wide for every architecture', () => {
    for (const name of ARCHITECTURE_NAMES) {
      const image = [3, 64, 64] as const;
      const lines = formatSummary(
        summarize(buildModel(name, name.startsWith('resnet18') ? {} : { input: image })),
      ).split('\n');
      assert.ok(
        lines.every((line) => [...line].length <= 80),
        name,
      );
    }
  });

  it('writes numbers with three digits', () => {
    const cases: [number, string][] = [
      [0, '0'],
      [999, '999'],
      [1000, '1.00k'],
      [77418, '77.4k'],
      [999_499, '999k'],
      [999_500, '1.00M'],
      [9_995, '10.0k'],
      [1_814_073_344, '1.81G'],
    ];
    for (const [value, text] of cases) assert.equal(compact(value), text);
  });
});
