// Binary: one output is a threshold, of a probability or of a logit; what it says of classes is what two softmax logits say.
import assert from 'node:assert/strict';
import { tensorSamples } from '../../../lib/assess/samples.js';
import { GraphBuilder } from '../../../lib/graph/builder.js';
import type { Dim } from '../../../lib/graph/dims.js';
import { uniformPolicy } from '../../../lib/policy/policy.js';
import { evaluatePolicies } from '../../../lib/runtime/evaluate_policies.js';
import { binaryTask } from '../../../lib/tasks/binary.js';
import { classification } from '../../../lib/tasks/classification.js';
import { chooseTask, taskOf } from '../../../lib/tasks/index.js';
import type { Classes } from '../../../lib/tasks/task.js';
import { floats } from '../../../lib/tensor/host_tensor.js';

/** x·(1, −1) + 0.25: [N, 1], or [N], a logit or its probability. */
function scorer(end: 'logit' | 'probability' | 'flat probability') {
  const b = new GraphBuilder('g');
  const weight = b.initializer('w', floats([1, 2], Float32Array.of(1, -1)));
  const bias = b.initializer('b', floats([1], Float32Array.of(0.25)));
  const logit = b.node('fc', 'Gemm', [b.input('x', ['N', 2]), weight, bias], { attributes: { transB: 1 } });
  const probability = end === 'logit' ? logit : b.node('p', 'Sigmoid', [logit]);
  b.output(
    end === 'flat probability' ? b.node('flat', 'Flatten', [probability], { attributes: { axis: 1 } }) : probability,
  );
  return b.build();
}

const X = floats([4, 2], Float32Array.of(1, 0, 0, 1, 0.5, 0.7, 0, 2));
/** 1.25, −0.75, 0.05, −1.75 */
const EXPECTED = [1, 0, 1, 0];

describe('binary', () => {
  it('is chosen for one number a sample, and says the threshold', () => {
    assert.match(chooseTask(scorer('logit')).why ?? '', /"fc" is one number a sample, a logit, class 1 above 0/);
    for (const end of ['probability', 'flat probability'] as const) {
      assert.match(chooseTask(scorer(end)).why ?? '', /a probability, class 1 above 0.5: judged as binary/);
    }
    const relu = (...dims: Dim[]) => {
      const b = new GraphBuilder('g');
      b.output(b.node('r', 'Relu', [b.input('x', dims)]));
      return taskOf(b.build()).name;
    };
    assert.deepEqual(
      [relu('N'), relu('N', 1), relu('N', 2), relu('N', 'K')],
      ['binary', 'binary', 'classification', 'classification'],
    );
  });

  it('a logit without labels may be another value: only the name, labels or a Sigmoid leave no doubt', () => {
    const logit = { name: 'y', dims: ['N', 1], width: 1, probability: false };
    assert.match(binaryTask.doubt(logit, false) ?? '', /or a value that has no threshold\? --task binary says so/);
    assert.equal(binaryTask.doubt(logit, true), undefined);
    assert.equal(taskOf(scorer('probability')).doubt({ ...logit, probability: true }, false), undefined);
    assert.equal(chooseTask(scorer('logit'), 'binary').task.doubt(logit, false), undefined);
  });

  it('counts right answers of policies against labels 0 and 1, and refuses others', async () => {
    for (const end of ['logit', 'probability', 'flat probability'] as const) {
      const graph = scorer(end);
      const [data] = tensorSamples(graph, X, [1, 0, 1, 1]).batches(4);
      const [result] = await evaluatePolicies(graph, [uniformPolicy(graph, 'W8A8')], {
        ...data,
        reference: EXPECTED,
      } as never);
      assert.deepEqual([result?.accuracy, result?.agreement], [0.75, 1], end);
      assert.throws(() => tensorSamples(graph, X, [1, 0, 2, 1]), /expected labels 0 and 1, received 2 at sample 2/);
    }
  });

  it('refuses more than one number a sample', () => {
    const b = new GraphBuilder('g');
    b.output(b.node('r', 'Relu', [b.input('x', ['N', 3])]));
    assert.throws(
      () => chooseTask(b.build(), 'binary'),
      /expected one number a sample for --task binary, received \[N,3\]/,
    );
    assert.throws(() => chooseTask(b.build(), 'other'), /--task: expected .*binary.*, received other/);
  });

  it('has the margins, slopes and support of a softmax over 0 and the logit', () => {
    const logits = Float32Array.of(1.25, -0.75, 0.05, -1.75);
    const pairs = Float32Array.from([...logits].flatMap((z) => [0, z]));
    const { leaders, marginsOf, lossSlope } = binaryTask.classes;
    const two: Classes = classification.classes;
    assert.deepEqual(leaders(logits, 4), two.leaders(pairs, 4));
    assert.deepEqual(marginsOf(logits, [0, 0, 1, 1]), two.marginsOf(pairs, [0, 0, 1, 1]));
    const slopes = two.lossSlope(pairs, 4, 3, 8).filter((_, i) => i % 2 === 1);
    lossSlope(logits, 4, 3, 8).forEach((slope, i) => {
      assert.ok(Math.abs(slope - (slopes[i] as number)) < 1e-7);
    });
    const support = binaryTask.support(logits, EXPECTED);
    assert.ok(Math.abs(support - classification.support(pairs, EXPECTED)) < 1e-12);
    const { task } = chooseTask(scorer('probability'));
    const p = logits.map((z) => 1 / (1 + Math.exp(-z)));
    assert.deepEqual(task.answers(p, 4), Int32Array.from(EXPECTED));
    assert.ok(Math.abs(task.support(p, EXPECTED) - support) < 1e-7); // p is rounded to float32
    // dL/dz = dL/dp · p(1 − p)
    (task.classes as Classes).lossSlope(p, 4, 4, 1).forEach((slope, i) => {
      const expected = (p[i] as number) - (EXPECTED[i] as number);
      assert.ok(Math.abs(slope * (p[i] as number) * (1 - (p[i] as number)) - expected) < 1e-6);
    });
  });
});
