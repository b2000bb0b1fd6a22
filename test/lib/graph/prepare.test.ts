// Prepared networks: simplified once, one object for all callers.
import assert from 'node:assert/strict';
import { quantizableNodes } from '../../../lib/graph/check.js';
import { simplify } from '../../../lib/graph/passes/index.js';
import { prepare } from '../../../lib/graph/prepare.js';
import { buildModel } from '../../../lib/models/index.js';

describe('prepare', () => {
  const graph = buildModel('resnet8', { seed: 1 });

  it('gives what the passes give, the same object each time', () => {
    const prepared = prepare(graph);
    assert.deepEqual(prepared, simplify(graph).graph);
    assert.equal(prepare(graph), prepared);
  });

  it('returns a prepared network as it is', () => {
    assert.equal(prepare(prepare(graph)), prepare(graph));
  });

  it('keeps the names of the nodes that policies give bits to', () => {
    const names = (of: typeof graph) => quantizableNodes(of).map(({ name }) => name);
    assert.deepEqual(names(prepare(graph)), names(graph));
  });
});
