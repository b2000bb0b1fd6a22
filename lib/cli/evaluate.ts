// `faultline evaluate`: full-precision accuracy of a model on labelled images.
import { freeBatch, type Samples } from '../assess/samples.js';
import { InvalidArgumentError } from '../core/errors.js';
import { type EvaluationBatch, evaluateBatches } from '../train/evaluate.js';
import { defineCommand } from './command.js';
import { inputOptions, readInputs } from './inputs.js';
import { MODEL, readJudged } from './model.js';
import { wholeNumber } from './option.js';

/** What evaluation takes of samples. Throws InvalidArgumentError when they have no labels. */
function* labelled(samples: Samples, size: number): Generator<EvaluationBatch> {
  for (const { count, dims, inputs, layout = 'rows', labels } of samples.batches(size)) {
    if (!labels) throw new InvalidArgumentError('evaluate', '--data', 'images with labels', 'images without');
    yield { count, dims, inputs, layout, labels };
  }
}

export const command = defineCommand({
  name: 'evaluate',
  arguments: MODEL,
  options: { ...inputOptions(), batch: wholeNumber('<n>', 'images at a time', 1, { default: 500 }) },
  out: 'optional',
  examples: [
    'faultline evaluate model.onnx --data images.npy,labels.npy',
    'faultline evaluate model.onnx --data images.npy,labels.npy --images 100 --out runs/evaluated',
  ],
  async run({ arguments: { model }, options, signal, progress, stage }) {
    const source = await readJudged(model, options, progress);
    const { samples } = await readInputs(source, options, progress);
    const { graph, batch = options.batch } = freeBatch(source, samples.dims);
    const evaluation = await stage('evaluate', () =>
      evaluateBatches(graph, labelled(samples, batch), samples.count, {
        task: samples.task,
        signal,
        onProgress: progress.counts('images'),
      }),
    );
    return { result: { schema: 'faultline.evaluate/1', model, ...evaluation } };
  },
});
