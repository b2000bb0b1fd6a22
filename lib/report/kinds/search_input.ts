// What a search of policies by input found: the agent beside the controls that tell whether it depends on its input.
import { basename } from 'node:path';
import { z } from 'zod';
import { extremeOf } from '../../search/judge.js';
import { type Block, chart, type Document, type Field, filled, section, table } from '../document.js';
import { formatNumber, percentText, plural } from '../format.js';
import { count, defineKind, percentage } from '../kind.js';

const searchSchema = z.looseObject({
  schema: z.literal('faultline.search-input/2'),
  model: z.string(),
  objective: z.enum(['detrimental', 'robust']),
  seed: count,
  budget: z.looseObject({ bits: z.number(), choices: z.array(z.string()), policies: z.string() }),
  images: z.looseObject({ learned: count, selected: count, judged: count }),
  figures: z.array(z.looseObject({ name: z.string(), accuracy: percentage.optional(), agreement: percentage })),
  chosen: z.looseObject({ policies: count, commonest: percentage }),
  history: z.array(z.looseObject({ iteration: count, agreement: percentage })),
});

type Search = z.output<typeof searchSchema>;

const NOTES: Readonly<Record<string, string>> = {
  agent: 'bits chosen for each input as it runs',
  'open loop': 'its commonest policy for every input',
  'shuffled bits': "each input gets another input's bits",
  'worst static': 'the worst static found, selected the same way',
  'best static': 'the best static found, selected the same way',
  oracle: 'the strongest of 128 for each input',
  'oracle with labels': 'the same, knowing the label',
};

type Figures = Search['figures'][number];

function controlTable({ figures, objective }: Search): Block {
  const better = objective === 'detrimental' ? 'lower' : 'higher';
  const caption = 'The agent beside its controls, on images that nothing was chosen on';
  const fields: Field<Figures>[] = [
    ['policy', 'policy', 'text', ({ name }) => name],
    ['accuracy', 'accuracy', 'percent', ({ accuracy }) => accuracy, { better }],
    ['agreement', 'agreement', 'percent', ({ agreement }) => agreement, { better }],
    ['note', 'what it is', 'text', ({ name }) => NOTES[name] ?? ''],
  ];
  return table({ name: 'controls', caption, brief: true }, figures, filled(figures, fields));
}

function historyChart({ history }: Search): Block[] {
  if (history.length === 0) return [];
  const about = {
    name: 'history',
    caption: 'Agreement on the images that are selected on, as the agent learned',
    alt: `Agreement over ${plural(history.length, 'iteration')}`,
  };
  const points = history.map(({ iteration, agreement }) => [iteration, agreement] as const);
  const [x, y] = [{ label: 'iteration', unit: 'count' } as const, { label: 'agreement', unit: 'percent' } as const];
  return [chart(about, { type: 'lines', x, y, series: [{ name: 'agent', points }] })];
}

function searchDocument(result: Search): Document {
  const { model, objective, budget, images, chosen, seed } = result;
  const { learned, selected, judged } = images;
  return {
    title: `${extremeOf(objective)} policy by input of ${basename(model)}`,
    lead:
      `${budget.policies} policies, ${formatNumber(budget.bits, 'bits')} bits for activations on average; the agent chose ` +
      `${chosen.policies} of them, the commonest for ${percentText(chosen.commonest)} of the images. ` +
      `Learned on ${plural(learned, 'image')}, selected on ${selected}, judged on ${judged}.`,
    facts: [],
    sections: section('controls', 'Controls', [controlTable(result), ...historyChart(result)]),
    footer: `faultline · seed ${seed}`,
  };
}

export const kind = defineKind({ schema: 'faultline.search-input/2', result: searchSchema, document: searchDocument });
