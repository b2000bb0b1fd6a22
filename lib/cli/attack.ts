// `faultline attack`: a network that fails under a policy that is given, with a report.
import type { Command } from 'commander';
import { ATTACKS, type AttackKind, type ReproduceSettings } from '../reproduce/settings.js';
import { addTaughtOptions, choice, runReproduction, type TaughtFlags, taughtSettings } from './run_options.js';

interface AttackFlags extends TaughtFlags {
  readonly kind: string;
  readonly policy?: string;
}

/** What each attack was made for. */
const POLICIES: Readonly<Record<AttackKind | 'gauge', string>> = {
  cells: 'W4A4',
  'bounded-gauge': 'W8A8',
  stealth: '8484848484',
  gauge: 'W8A8',
};

function settingsOf(flags: AttackFlags): Partial<ReproduceSettings> {
  const kind = choice('attack', '--kind', [...ATTACKS, 'gauge'] as const, flags.kind);
  const policy = flags.policy ?? POLICIES[kind];
  return {
    ...taughtSettings('attack', flags),
    ...(kind === 'gauge' ? { gauge: true, gaugeBits: policy } : { attacks: [{ kind, policy }] }),
  };
}

export function addAttackCommand(program: Command): void {
  const command = program
    .command('attack')
    .description('learn a network that fails under a policy that is given')
    .requiredOption('--kind <name>', `${ATTACKS.join(', ')}; gauge keeps full precision to the last bit`)
    .option('--policy <bits>', 'W4A4, or a digit for each layer: 8484848484 (default: what the attack is made for)');
  addTaughtOptions(command).action((flags: AttackFlags) => runReproduction(flags, settingsOf(flags)));
}
