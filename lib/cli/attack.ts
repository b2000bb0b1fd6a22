// `faultline attack`: a network that fails under a policy that is given, with a report.
import type { Command } from 'commander';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../models/index.js';
import { InvalidArgumentError } from '../native/errors.js';
import { ATTACKS, type AttackKind, DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import { integerOption } from './options.js';
import { type RunFlags, runReproduction } from './reproduce.js';

interface AttackFlags extends RunFlags {
  readonly kind: string;
  readonly policy?: string;
  readonly data: string;
  readonly arch: string;
  readonly teacher?: string;
  readonly seed: number;
}

/** What each attack was made for. */
const POLICIES: Readonly<Record<AttackKind | 'gauge', string>> = {
  cells: 'W4A4',
  'bounded-gauge': 'W8A8',
  stealth: '8484848484',
  gauge: 'W8A8',
};

function settingsOf(flags: AttackFlags): Partial<ReproduceSettings> {
  const kinds = [...ATTACKS, 'gauge'] as const;
  const kind = kinds.find((name) => name === flags.kind);
  if (!kind) throw new InvalidArgumentError('attack', '--kind', kinds.join(', '), flags.kind);
  const arch = ARCHITECTURE_NAMES.find((name): name is ArchitectureName => name === flags.arch);
  if (!arch) throw new InvalidArgumentError('attack', '--arch', ARCHITECTURE_NAMES.join(', '), flags.arch);
  const policy = flags.policy ?? POLICIES[kind];
  return {
    ...{ data: flags.data, arch, seeds: [flags.seed], pairs: [], search: false },
    ...(kind === 'gauge' ? { gauge: true, gaugeBits: policy } : { gauge: false, attacks: [{ kind, policy }] }),
    ...(flags.teacher === undefined ? {} : { teacherModel: flags.teacher }),
  };
}

export function addAttackCommand(program: Command): void {
  program
    .command('attack')
    .description('learn a network that fails under a policy that is given')
    .requiredOption('--kind <name>', `${ATTACKS.join(', ')}; gauge keeps full precision to the last bit`)
    .option('--policy <bits>', 'W4A4, or a digit for each layer: 8484848484 (default: what the attack is made for)')
    .option('--data <name or path>', 'as for train', DEFAULTS.data)
    .option('--data-dir <folder or URL>', 'where the files of a named data set are')
    .option('--arch <name>', ARCHITECTURE_NAMES.join(', '), DEFAULTS.arch)
    .option('--teacher <model.onnx>', 'a network of your own in place of a trained one')
    .option('--seed <n>', 'of everything that is drawn', integerOption('--seed', 0), 0)
    .requiredOption('--out <folder>', 'the run; continued when it is there')
    .option('--fresh', 'start over')
    .option('--json', 'the report as JSON on stdout')
    .action((flags: AttackFlags) => runReproduction(flags, settingsOf(flags)));
}
