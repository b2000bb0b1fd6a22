// All commands: what is known of each before its module is loaded. A new command is a line here and a file beside it.
import type { CommandDefinition } from './command.js';

/** Purposes of commands, in the order of the help. */
export const GROUPS = ['judge', 'explain', 'repair', 'attack', 'measure', 'train', 'documents'] as const;
type Group = (typeof GROUPS)[number];

interface CommandLine {
  readonly name: string;
  readonly group: Group;
  /** At most 53 columns: the help has one line a command. */
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: CommandDefinition }>;
}

const line = (name: string, group: Group, summary: string, load: CommandLine['load']): CommandLine => ({
  name,
  group,
  summary,
  load,
});

// biome-ignore format: a line a command
export const COMMANDS: readonly CommandLine[] = [
  line('assess', 'judge', 'may this model be quantized? a verdict with evidence', () => import('./assess.js')),
  line('profile', 'explain', 'where the error of a quantized model comes from', () => import('./profile.js')),
  line('scan', 'explain', 'signs of brittleness in full precision', () => import('./scan.js')),
  line('vulnerable', 'explain', 'the weakest layers, channels, classes and inputs', () => import('./vulnerable.js')),
  line('corruptions', 'explain', 'what corrupted images cost, in fp32 and quantized', () => import('./corruptions.js')),
  line('inspect', 'explain', 'this machine, or the nodes of a model', () => import('./inspect.js')),
  line('mitigate', 'repair', 'repair a model that fails when it is quantized', () => import('./mitigate.js')),
  line('quantize', 'repair', 'write the model under a policy as ONNX', () => import('./quantize.js')),
  line('search', 'attack', 'the worst or the best policy of a budget', () => import('./search.js')),
  line('pair', 'attack', 'learn a network and a policy that fail together', () => import('./pair.js')),
  line('attack', 'attack', 'learn a network that fails under a policy', () => import('./attack.js')),
  line('reproduce', 'attack', 'the published experiment, from end to end', () => import('./reproduce.js')),
  line('study', 'attack', 'how well indicators predict the drop', () => import('./study.js')),
  line('evaluate', 'measure', 'accuracy in full precision', () => import('./evaluate.js')),
  line('bench model', 'measure', 'speed of a whole network, beside ONNX Runtime', () => import('./bench_model.js')),
  line('bench kernels', 'measure', 'speed of every operation, beside its peers', () => import('./bench_kernels.js')),
  line('bench napi', 'measure', 'what a call from JavaScript costs', () => import('./bench_napi.js')),
  line('train', 'train', 'a network from an architecture and a data set', () => import('./train.js')),
  line('report', 'documents', 'a result in another format', () => import('./report.js')),
  line('diff', 'documents', 'what changed between two results', () => import('./diff.js')),
];

/** The command that arguments begin with, and the arguments behind its name. */
export function findCommand(
  argv: readonly string[],
): { readonly found: CommandLine; readonly rest: string[] } | undefined {
  for (const words of [2, 1]) {
    const name = argv.slice(0, words).join(' ');
    const found = argv.length >= words ? COMMANDS.find((each) => each.name === name) : undefined;
    if (found) return { found, rest: argv.slice(words) };
  }
  return undefined;
}
