// `faultline inspect`: what this machine offers, what faultline chose, and why; or, with a file, what network is in it.
import { loadModel } from '../graph/onnx/import.js';
import { simplify } from '../graph/passes/index.js';
import { summarize } from '../graph/printer.js';
import { inspect } from '../native/inspect.js';
import { defineCommand } from './command.js';
import { EXIT_CODES } from './harness.js';
import { flag, optionalArgument, refuse } from './option.js';
import { INPUT_OPTIONS } from './options.js';

export const command = defineCommand({
  name: 'inspect',
  arguments: { model: optionalArgument('model.onnx', 'a network to list node by node; without one: this machine') },
  options: {
    fold: flag('with a model: as it would be quantized, constants and batch norms folded'),
    ...INPUT_OPTIONS,
  },
  examples: ['faultline inspect', 'faultline inspect model.onnx --fold'],
  async run({ arguments: { model }, options: { fold, input }, progress }) {
    if (model === undefined) {
      if (fold) refuse('--fold', 'a model beside it', 'none');
      const result = inspect();
      // Every operation would refuse.
      if (result.isa.error !== undefined) progress.say(`faultline: ${result.isa.error}`);
      return { result, exitCode: result.isa.error === undefined ? 0 : EXIT_CODES.refused };
    }
    const { graph, notes } = await loadModel(model, { inputs: input });
    const { graph: shown, log } = fold ? simplify(graph) : { graph, log: [] };
    const all = [...notes, ...log.map(({ what }) => what)];
    progress.notes(all);
    return { result: { schema: 'faultline.inspectModel/1', file: model, ...summarize(shown), notes: all } };
  },
});
