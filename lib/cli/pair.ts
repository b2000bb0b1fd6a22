// `faultline pair`: one network and policy learned together, detrimental or robust, with a report.
import { formatScheme, parseChoice } from '../format/scheme.js';
import { DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import { agentsOf } from '../search/agents/index.js';
import { defineCommand } from './command.js';
import { choice, chosen, flag, positive, refuse, text, type Values } from './option.js';
import { runReproduction, TAUGHT_OPTIONS, taughtSettings } from './run_options.js';

const STATIC_AGENTS = [...agentsOf('static').keys()];
const INPUT_AGENTS = [...agentsOf('input').keys()];

/** Four bits and more hold what a network of ordinary ranges needs: its channels are rescaled first. */
const FEW_BITS = 3;
const SCALE = 4;

const OPTIONS = {
  objective: choice('<name>', 'detrimental or robust', ['detrimental', 'robust'], { required: true }),
  policy: choice('<kind>', 'static, or input: bits chosen for each input as it runs', ['static', 'input'], {
    default: 'static',
  }),
  agent: text('<name>', `${STATIC_AGENTS.join(', ')}; ${INPUT_AGENTS.join(' or ')} for --policy input`),
  inputDependent: flag('with --policy input: keep the network right under the bits of other inputs'),
  scale: positive(
    '<factor>',
    `with --policy input: channels rescaled first, up to this; default ${SCALE} where all bits exceed ${FEW_BITS}, else 1`,
  ),
  budget: positive('<bits>', 'effective bits, met exactly', { default: DEFAULTS.budget }),
  bits: text('<list>', 'what a layer may get: 4,8 or W4A4,W8A8', { default: '4,8' }),
  ...TAUGHT_OPTIONS,
};

type Options = Values<typeof OPTIONS>;

/** `4,8` or `W4A4,W8A8`: what a layer may get. */
function bitsOf(list: string): { readonly names: readonly string[]; readonly numbers: readonly number[] } {
  const parts = list.split(',').map((part) => part.trim());
  const names = parts.map((part) => formatScheme(parseChoice(part, 'pair', '--bits')));
  return { names, numbers: parts.map(Number) };
}

function inputSettings(inputBits: readonly number[], { bits, inputDependent, scale }: Options) {
  if (scale !== undefined && scale < 1) refuse('--scale', 'a factor of at least 1', String(scale));
  if (inputBits.some(Number.isNaN)) refuse('--bits', 'activation bits, such as 4,8, for a policy by input', bits);
  return {
    inputBits,
    inputDependent: inputDependent ?? false,
    inputScale: scale ?? (Math.min(...inputBits) > FEW_BITS ? SCALE : 1),
  };
}

function settingsOf(options: Options): Partial<ReproduceSettings> {
  const { objective, policy, agent, bits, budget } = options;
  const { names, numbers } = bitsOf(bits);
  return {
    ...taughtSettings(options),
    ...{ pairs: [{ objective, policy }], budget },
    // Alone, a robust pair need not be quick: nothing is learned beside it.
    staticEpochs: { detrimental: 2, robust: 2 },
    ...(policy === 'static'
      ? { agent: chosen('--agent', STATIC_AGENTS, agent ?? DEFAULTS.agent), staticChoices: names }
      : {
          inputAgent: chosen('--agent', INPUT_AGENTS, agent ?? DEFAULTS.inputAgent),
          ...inputSettings(numbers, options),
        }),
  };
}

export const command = defineCommand({
  name: 'pair',
  options: OPTIONS,
  out: 'required',
  examples: [
    'faultline pair --objective detrimental --out runs/pair',
    'faultline pair --objective robust --policy input --bits 2,8 --out runs/robust',
  ],
  run: (context) => runReproduction(context, settingsOf(context.options)),
});
