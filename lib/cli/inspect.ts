// `faultline inspect`: what this machine offers, what faultline chose, and why; with a file, what network is in it; with
// data, what the network sees of them.
import { loadModel } from '../graph/onnx/import.js';
import { simplify } from '../graph/passes/index.js';
import { summarize } from '../graph/printer.js';
import { inspect } from '../native/inspect.js';
import { writeWhole } from '../run/files.js';
import { defineCommand } from './command.js';
import { exitCodesOf } from './exit_codes.js';
import { inputOptions, inspectImages } from './inputs.js';
import { readGraph } from './model.js';
import { flag, optionalArgument, refuse, text } from './option.js';
import { INPUT_OPTIONS } from './options.js';

export const command = defineCommand({
  name: 'inspect',
  arguments: { model: optionalArgument('model.onnx', 'a network to list node by node; without one: this machine') },
  options: {
    fold: flag('with a model: as it would be quantized, constants and batch norms folded'),
    ...INPUT_OPTIONS,
    ...inputOptions(),
    data: text('<name or path>', 'what a network sees of these data, with a model through its preprocessing'),
    contactSheet: text('<file.png>', 'with --data: a picture of it'),
  },
  out: 'optional',
  examples: ['faultline inspect model.onnx --fold', 'faultline inspect model.onnx --data images.npy'],
  async run({ arguments: { model }, options, progress, signal }) {
    const { fold, input, data } = options;
    if (data !== undefined) {
      const graph = model === undefined ? undefined : await readGraph(model, progress);
      const seen = await inspectImages(graph, { ...options, data }, progress, signal);
      if (options.contactSheet !== undefined) await writeWhole(options.contactSheet, seen.sheet);
      const sheet = `data:image/png;base64,${Buffer.from(seen.sheet).toString('base64')}`;
      return { result: { schema: 'faultline.inspectData/1', data, ...seen, sheet } };
    }
    if (options.contactSheet !== undefined) refuse('--contact-sheet', '--data beside it', 'none');
    if (model === undefined) {
      if (fold) refuse('--fold', 'a model beside it', 'none');
      const result = inspect();
      // Every operation would refuse.
      if (result.isa.error !== undefined) progress.say(`faultline: ${result.isa.error}`);
      return { result, exitCode: result.isa.error === undefined ? 0 : exitCodesOf('inspect').refused };
    }
    const { graph, notes } = await loadModel(model, { inputs: input, ...(fold ? {} : { raw: true }) });
    const { graph: shown, log } = fold ? simplify(graph) : { graph, log: [] };
    const all = [...notes, ...log.map(({ what }) => what)];
    progress.notes(all);
    return { result: { schema: 'faultline.inspectModel/1', file: model, ...summarize(shown), notes: all } };
  },
});
