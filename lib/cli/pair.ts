// `faultline pair`: one network and policy learned together, detrimental or robust, with a report.

import type { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { formatScheme, parseChoice } from '../format/scheme.js';
import { DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import { agentsOf } from '../search/agents/index.js';
import { numberOption } from './options.js';
import { addTaughtOptions, choice, runReproduction, type TaughtFlags, taughtSettings } from './run_options.js';

interface PairFlags extends TaughtFlags {
  readonly objective: string;
  readonly policy: string;
  readonly agent?: string;
  readonly inputDependent?: true;
  readonly scale?: number;
  readonly budget: number;
  readonly bits: string;
}

/** `4,8` or `W4A4,W8A8`: what a layer may get. */
function bitsOf(text: string): { readonly names: readonly string[]; readonly numbers: readonly number[] } {
  const parts = text.split(',').map((part) => part.trim());
  const names = parts.map((part) => formatScheme(parseChoice(part, 'pair', '--bits')));
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
  const one = <Name extends string>(option: string, names: readonly Name[], text: string) =>
    choice('pair', option, names, text);
  const objective = one('--objective', ['detrimental', 'robust'], flags.objective);
  const policy = one('--policy', ['static', 'input'], flags.policy);
  const isStatic = policy === 'static';
  const agent = isStatic
    ? { agent: one('--agent', [...agentsOf('static').keys()], flags.agent ?? DEFAULTS.agent) }
    : { inputAgent: one('--agent', [...agentsOf('input').keys()], flags.agent ?? DEFAULTS.inputAgent) };
  const { names, numbers } = bitsOf(flags.bits);
  if (!isStatic && numbers.some(Number.isNaN)) {
    throw new InvalidArgumentError('pair', '--bits', 'activation bits, such as 4,8, for a policy by input', flags.bits);
  }
  return {
    ...taughtSettings('pair', flags),
    ...{ pairs: [{ objective, policy }], budget: flags.budget },
    // Alone, a robust pair need not be quick: nothing is learned beside it.
    staticEpochs: { detrimental: 2, robust: 2 },
    ...agent,
    ...(isStatic ? { staticChoices: names } : inputSettings(numbers, flags)),
  };
}

export function addPairCommand(program: Command): void {
  const command = program
    .command('pair')
    .description('learn one network and bit-width policy that fail, or hold, together')
    .requiredOption('--objective <name>', 'detrimental or robust')
    .option('--policy <kind>', 'static, or input: bits chosen for each input as it runs', 'static')
    .option(
      '--agent <name>',
      `${[...agentsOf('static').keys()].join(', ')}; ${[...agentsOf('input').keys()].join(' or ')} for --policy input`,
    )
    .option('--input-dependent', 'with --policy input: keep the network right under the bits of other inputs')
    .option(
      '--scale <factor>',
      `with --policy input: channels rescaled first, up to this; default ${SCALE} where all bits exceed ${FEW_BITS}, else 1`,
      numberOption('--scale'),
    )
    .option('--budget <bits>', 'effective bits, met exactly', numberOption('--budget'), DEFAULTS.budget)
    .option('--bits <list>', 'what a layer may get: 4,8 or W4A4,W8A8', '4,8');
  addTaughtOptions(command).action((flags: PairFlags) => runReproduction(flags, settingsOf(flags)));
}
