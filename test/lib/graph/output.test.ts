// The output that is judged: the first that is float32, what a choice is made from, or the one of a name.
import assert from 'node:assert/strict';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import { judgedOutput, outputOf } from '../../../lib/graph/output.js';

/** As classifiers of scikit-learn end: a label, then probabilities. */
function labelled() {
  const b = new GraphBuilder('g');
  const x = b.input('x', ['N', 3]);
  b.output(b.node('label', 'ArgMax', [x], { attributes: { axis: 1, keepdims: 0 } }));
  b.output(b.node('p', 'Softmax', [x]));
  return b.build();
}

/** A map of classes, cast to float on its way out. */
function chosen(cast: boolean) {
  const b = new GraphBuilder('g');
  const scores = b.node('scores', 'Relu', [b.input('x', ['N', 3, 4, 4])]);
  const map = b.node('map', 'ArgMax', [scores], { attributes: { axis: 1, keepdims: 0 } });
  if (cast) b.output(b.node('cast', 'Cast', [map], { attributes: { to: 1 } }));
  else b.output(map);
  return b.build();
}

describe('judged output', () => {
  it('is the first that is float32, said in a line, the others after it', () => {
    const { graph, notes } = judgedOutput(labelled());
    assert.deepEqual(
      graph.outputs.map(({ name }) => name),
      ['p', 'label'],
    );
    assert.deepEqual(notes, ['of 2 outputs the first that is float32, "p", is judged; --output NAME chooses another']);
    assert.deepEqual([outputOf(graph).name, outputOf(graph).width], ['p', 3]);
  });

  it('of a choice it is what is chosen from, also behind a cast', () => {
    for (const cast of [false, true]) {
      const { graph, notes } = judgedOutput(chosen(cast));
      assert.equal(outputOf(graph).name, 'scores');
      assert.match(notes[0] ?? '', /is a choice: what it is chosen from, "scores", is judged/);
    }
  });

  it('is the one of that name, or refused with all there are', () => {
    assert.equal(judgedOutput(labelled(), 'p').graph.outputs[0]?.name, 'p');
    assert.throws(
      () => judgedOutput(labelled(), 'q'),
      /output "q".*expected one of "label": int64 \[N\], "p": float32/,
    );
    const b = new GraphBuilder('g');
    b.output(b.node('shape', 'Shape', [b.input('x', ['N', 3])]));
    assert.throws(() => judgedOutput(b.build()), /expected a float32 output, received "shape": int64/);
    assert.throws(() => outputOf(labelled()), /expected a float32 output first, received "label": int64/);
  });

  it('a graph with one float32 output stays as it is', () => {
    const b = new GraphBuilder('g');
    b.output(b.node('y', 'Relu', [b.input('x', ['N', 3])]));
    const graph = b.build();
    assert.deepEqual(judgedOutput(graph), { graph, notes: [] });
  });
});
