// `faultline pair`: one network and policy learned together, detrimental or robust, with a report.
import type { Command } from 'commander';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../models/index.js';
import { InvalidArgumentError } from '../native/errors.js';
import { DEFAULTS, type PairSetting, type ReproduceSettings } from '../reproduce/settings.js';
import { AGENTS } from '../search/agents/index.js';
import { integerOption, numberOption } from './options.js';
import { type RunFlags, runReproduction } from './reproduce.js';

interface PairFlags extends RunFlags {
  readonly objective: string;
  readonly policy: string;
  readonly agent?: string;
  readonly inputDependent?: true;
  readonly scale?: number;
  readonly budget: number;
  readonly bits: string;
  readonly data: string;
  readonly arch: string;
  readonly teacher?: string;
  readonly seed: number;
}

/** The agents of policies by input, the default first. */
const INPUT_AGENTS = ['gate', 'ppo'] as const;

function choice<Name extends string>(option: string, names: readonly Name[], value: string): Name {
  if (names.includes(value as Name)) return value as Name;
  throw new InvalidArgumentError('pair', option, names.join(' or '), value);
}

/** `4,8` or `W4A4,W8A8`: what a layer may get. */
function bitsOf(text: string): { readonly names: readonly string[]; readonly numbers: readonly number[] } {
  const parts = text.split(',').map((part) => part.trim());
  const names = parts.map((part) => (/^[2-8]$/.test(part) ? `W${part}A${part}` : part));
  return { names, numbers: parts.map(Number) };
}

/** Four bits and more hold what a network of ordinary ranges needs: its channels are rescaled first. */
const FEW_BITS = 3;
const SCALE = 4;

function inputSettings(inputBits: readonly number[], { inputDependent, scale }: PairFlags) {
  if (scale !== undefined && scale < 1) {
    throw new InvalidArgumentError('pair', '--scale', 'a factor of at least 1', String(scale));
  }
  return {
    inputBits,
    inputDependent: inputDependent ?? false,
    inputScale: scale ?? (Math.min(...inputBits) > FEW_BITS ? SCALE : 1),
  };
}

function settingsOf(flags: PairFlags): Partial<ReproduceSettings> {
  const objective = choice('--objective', ['detrimental', 'robust'], flags.objective);
  const policy = choice('--policy', ['static', 'input'], flags.policy);
  const arch = choice<ArchitectureName>('--arch', ARCHITECTURE_NAMES, flags.arch);
  const isStatic = policy === 'static';
  const agent = isStatic
    ? { agent: choice('--agent', [...AGENTS.keys()], flags.agent ?? DEFAULTS.agent) }
    : { inputAgent: choice('--agent', INPUT_AGENTS, flags.agent ?? DEFAULTS.inputAgent) };
  const { names, numbers } = bitsOf(flags.bits);
  if (!isStatic && numbers.some(Number.isNaN)) {
    throw new InvalidArgumentError('pair', '--bits', 'activation bits, such as 4,8, for a policy by input', flags.bits);
  }
  const pairs: PairSetting[] = [{ objective, policy }];
  return {
    ...{ data: flags.data, arch, seeds: [flags.seed], pairs, gauge: false, search: false, budget: flags.budget },
    // Alone, a robust pair need not be quick: nothing is learned beside it.
    staticEpochs: { detrimental: 2, robust: 2 },
    ...agent,
    ...(isStatic ? { staticChoices: names } : inputSettings(numbers, flags)),
    ...(flags.teacher === undefined ? {} : { teacherModel: flags.teacher }),
  };
}

export function addPairCommand(program: Command): void {
  program
    .command('pair')
    .description('learn one network and bit-width policy that fail, or hold, together')
    .requiredOption('--objective <name>', 'detrimental or robust')
    .option('--policy <kind>', 'static, or input: bits chosen for each input as it runs', 'static')
    .option('--agent <name>', `${[...AGENTS.keys()].join(', ')}; ${INPUT_AGENTS.join(' or ')} for --policy input`)
    .option('--input-dependent', 'with --policy input: keep the network right under the bits of other inputs')
    .option(
      '--scale <factor>',
      `with --policy input: channels rescaled first, up to this; default ${SCALE} where all bits exceed ${FEW_BITS}, else 1`,
      numberOption('--scale'),
    )
    .option('--budget <bits>', 'effective bits, met exactly', numberOption('--budget'), DEFAULTS.budget)
    .option('--bits <list>', 'what a layer may get: 4,8 or W4A4,W8A8', '4,8')
    .option('--data <name or path>', 'as for train', DEFAULTS.data)
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--arch <name>', ARCHITECTURE_NAMES.join(', '), DEFAULTS.arch)
    .option('--teacher <model.onnx>', 'a network of your own in place of a trained one')
    .option('--seed <n>', 'of everything that is drawn', integerOption('--seed', 0), 0)
    .requiredOption('--out <folder>', 'the run; continued when it is there')
    .option('--fresh', 'start over')
    .option('--json', 'the report as JSON on stdout')
    .action((flags: PairFlags) => runReproduction(flags, settingsOf(flags)));
}
