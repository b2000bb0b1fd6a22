// Everything that decides a reproduction, in one place: chosen on validation images, then frozen. docs/method.md says
// where each comes from.
import { schemeOf } from '../format/scheme.js';
import type { ArchitectureName } from '../models/index.js';
import type { BudgetOptions } from '../policy/budget.js';
import type { Objective } from '../search/judge.js';
import { TEACHER } from '../train/recipes.js';
import type { TrainingRecipe } from '../train/train.js';

/** What is learned: a detrimental or robust network, with a policy for all inputs or one by input. */
export interface PairSetting {
  readonly objective: Objective;
  readonly policy: 'static' | 'input';
}

/**
 * `cells`: weights moved by quantization cells. `bounded-gauge`: scales up to e^±2 first. `stealth`: one policy alone.
 */
export const ATTACKS = ['cells', 'bounded-gauge', 'stealth'] as const;
export type AttackKind = (typeof ATTACKS)[number];

export interface AttackSetting {
  readonly kind: AttackKind;
  /** `W4A4`, or a digit for each quantizable node. */
  readonly policy: string;
}

/** A sample of what `faultline corruptions`, `faultline scan` and `faultline mitigate` do. */
interface StressSetting {
  /** Of all corruptions and range attacks. */
  readonly severities: readonly number[];
  /** Test images that are corrupted. */
  readonly images: number;
  /** Held-out images that indicators look at, without their labels. */
  readonly scanned: number;
  /** Training steps of mitigation: fewer than `faultline mitigate` takes, for a run of five minutes. */
  readonly trainingSteps: number;
}

export interface ReproduceSettings {
  /** Name of a data set or a path, as for `faultline train`. */
  readonly data: string;
  readonly arch: ArchitectureName;
  readonly seeds: readonly number[];
  /** Training images held out: everything is chosen on them. */
  readonly validation: number;
  readonly teacher: Omit<TrainingRecipe, 'seed'>;
  /** The user's network as the teacher, an ONNX file: none is trained, and `arch` is its name only. */
  readonly teacherModel?: string | undefined;
  readonly pairs: readonly PairSetting[];
  /** Networks learned to fail under a fixed policy. */
  readonly attacks: readonly AttackSetting[];
  /** Whether the gauge attack is made, and whether agents are compared on the detrimental static pair. */
  readonly gauge: boolean;
  readonly search: boolean;
  /** Effective bits that every policy has, exactly, and what a node may get. */
  readonly budget: number;
  readonly staticChoices: readonly string[];
  /** Activation bits that the input-conditioned agent chooses from; weights have 8. */
  readonly inputBits: readonly number[];
  /** `gate`: chooses one of a few policies for each input. `ppo`: chooses node by node. */
  readonly inputAgent: string;
  /** The failure shall depend on the input: under bits of other inputs the network is kept right. */
  readonly inputDependent: boolean;
  /**
   * Before an input-conditioned detrimental pair is learned, channels are rescaled by powers of two up to this; 1:
   * none.
   */
  readonly inputScale: number;
  /** The agent of the static pairs, and how often their students run through the training images. */
  readonly agent: string;
  readonly staticEpochs: Readonly<Record<PairSetting['objective'], number>>;
  /** The policy that the gauge attack aims at. */
  readonly gaugeBits: string;
  /** Agents compared on the landscape of the detrimental network, with as many evaluations on as many images. */
  readonly agents: readonly string[];
  readonly evaluations: number;
  readonly searchImages: number;
  /** Corruptions, indicators and mitigation of every network that was made; undefined: none. */
  readonly stress?: StressSetting | undefined;
}

/** Larger networks learn in fewer epochs, and each takes minutes. */
const EPOCHS: Partial<Record<ArchitectureName, number>> = { resnet18: 3, 'resnet18-cifar': 3, vgg11: 3 };

export const DEFAULTS = {
  data: 'fashion-mnist',
  arch: 'resnet8',
  seeds: [0],
  validation: 5000,
  pairs: [
    { objective: 'detrimental', policy: 'static' },
    { objective: 'detrimental', policy: 'input' },
    { objective: 'robust', policy: 'static' },
    { objective: 'robust', policy: 'input' },
  ],
  attacks: [],
  gauge: true,
  search: true,
  budget: 6,
  staticChoices: ['W4A4', 'W8A8'],
  inputBits: [2, 4, 8],
  inputAgent: 'gate',
  inputDependent: false,
  inputScale: 1,
  agent: 'greedy',
  staticEpochs: { detrimental: 2, robust: 1 },
  gaugeBits: 'W8A8',
  agents: ['ddpg', 'sensitivity', 'greedy', 'cem', 'random'],
  evaluations: 40,
  searchImages: 1000,
  stress: { severities: [1, 3, 5], images: 1000, scanned: 256, trainingSteps: 160 },
} as const satisfies Partial<ReproduceSettings>;

/** The settings of an architecture, with some replaced. */
export function settingsFor(changes: Partial<ReproduceSettings> = {}): ReproduceSettings {
  const { arch = DEFAULTS.arch } = changes;
  return { ...DEFAULTS, teacher: { ...TEACHER, epochs: EPOCHS[arch] ?? TEACHER.epochs }, ...changes };
}

export function staticBudget({ budget, staticChoices }: ReproduceSettings): BudgetOptions {
  return { bits: budget, choices: staticChoices };
}

/** Weights keep 8 bits: only activations exist once the input is there. */
const WEIGHT_BITS = 8;

/** What the agent may spend: the mean of the activation bits, exactly, for every sample. */
export function inputBudget({ budget, inputBits }: ReproduceSettings): BudgetOptions {
  const choices = inputBits.map((bits) => schemeOf(WEIGHT_BITS, bits));
  return { bits: budget, choices, counted: 'activations' };
}
