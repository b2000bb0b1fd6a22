// The nodes of a network as a document: what it says, and that it fits a terminal for every architecture.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../../lib/graph/builder.js';
import type { Graph } from '../../../../lib/graph/graph.js';
import { summarize } from '../../../../lib/graph/printer.js';
import { ARCHITECTURE_NAMES, buildModel } from '../../../../lib/models/index.js';
import { kind } from '../../../../lib/report/kinds/inspect_model.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { floats, zeros } from '../../../../lib/tensor/host_tensor.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const resultOf = (graph: Graph) => ({
  schema: 'faultline.inspectModel/1',
  file: 'folder/model.onnx',
  ...summarize(graph),
  notes: ['a note'],
});

describe('document of a model', () => {
  it('lists nodes, shapes, parameters and multiply-accumulates', async () => {
    const builder = new GraphBuilder('tiny');
    const x = builder.input('x', ['N', 4, 8, 8]);
    const w = builder.initializer('w', zeros('float32', [8, 2, 3, 3]));
    const attributes = { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] };
    const conv = builder.node('conv', 'Conv', [x, w], { attributes });
    const six = builder.initializer('six', floats([], [6]));
    const name = 'a.very.long.name.that.does.not.fit.at.all.and.goes.on.and.on';
    builder.output(builder.node(name, 'Clip', [conv, '', six]));
    const document = await documentOf(kind, resultOf(builder.build()));
    checkDocument(document, ['tiny: opset 17', name, 'a note']);
    const text = terminalReport(document);
    assert.match(text, /2 nodes \(1 quantizable \*\), 144 parameters, 2\.30k MACs a sample\n/);
    assert.match(text, /^- input x float32 \[N,4,8,8\]$/m);
    assert.match(text, /^conv +Conv\* 3x3\/2 g2 +\[N,8,4,4\] +144 +2\.30k$/m);
    assert.match(text, /^a\.very\..*….*\.on\.and\.on +Clip +\[N,8,4,4\] +0 +0$/m);
  });

  it('fits a terminal for every architecture', async () => {
    for (const name of ARCHITECTURE_NAMES) {
      const graph = buildModel(name, name.startsWith('resnet18') ? {} : { input: [3, 64, 64] });
      checkDocument(await documentOf(kind, resultOf(graph)), []);
    }
  });
});
