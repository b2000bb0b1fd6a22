// `faultline attack`: a network that fails under one policy, with a report.
import { ATTACKS, type AttackKind } from '../reproduce/settings.js';
import { defineCommand } from './command.js';
import { choice, text } from './option.js';
import { runReproduction, TAUGHT_OPTIONS, taughtSettings } from './run_options.js';

/** What each attack was made for. */
const POLICIES: Readonly<Record<AttackKind | 'gauge', string>> = {
  cells: 'W4A4',
  'bounded-gauge': 'W8A8',
  stealth: '8484848484',
  gauge: 'W8A8',
};

export const command = defineCommand({
  name: 'attack',
  options: {
    kind: choice('<name>', `${ATTACKS.join(', ')}; gauge keeps full precision to the last bit`, [...ATTACKS, 'gauge'], {
      required: true,
    }),
    policy: text('<bits>', 'W4A4, or a digit for each layer: 8484848484; default: what the attack is made for'),
    ...TAUGHT_OPTIONS,
  },
  out: 'required',
  examples: [
    'faultline attack --kind cells --out runs/cells',
    'faultline attack --kind gauge --policy W8A8 --teacher model.onnx --out runs/gauge',
  ],
  async run(context) {
    const { kind, policy = POLICIES[kind] } = context.options;
    return runReproduction(context, {
      ...taughtSettings(context.options),
      ...(kind === 'gauge' ? { gauge: true, gaugeBits: policy } : { attacks: [{ kind, policy }] }),
    });
  },
});
