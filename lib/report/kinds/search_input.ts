// What a search of policies by input found: the agent beside the controls that tell whether it depends on its input.
import { basename } from 'node:path';
import { z } from 'zod';
import { extremeOf } from '../../search/judge.js';
import { type Block, column, type Document } from '../document.js';
import { type Cell, formatNumber, formatQuantity, plural } from '../format.js';
import { count, defineKind } from '../kind.js';

const percentage = z.number().min(0).max(100);

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

function controlTable({ figures, objective }: Search): Block {
  const labelled = figures.some(({ accuracy }) => accuracy !== undefined);
  const better = objective === 'detrimental' ? 'lower' : 'higher';
  return {
    kind: 'table',
    name: 'controls',
    caption: 'The agent beside its controls, on images that nothing was chosen on',
    brief: true,
    columns: [
      column('policy', 'policy', 'text'),
      ...(labelled ? [column('accuracy', 'accuracy', 'percent', { better })] : []),
      column('agreement', 'agreement', 'percent', { better }),
      column('note', 'what it is', 'text'),
    ],
    rows: figures.map(({ name, accuracy, agreement }): Cell[] => [
      name,
      ...(labelled ? [accuracy] : []),
      agreement,
      NOTES[name] ?? '',
    ]),
  };
}

function historyChart({ history }: Search): Block[] {
  if (history.length === 0) return [];
  return [
    {
      kind: 'chart',
      name: 'history',
      caption: 'Agreement on the images that are selected on, as the agent learned',
      alt: `Agreement over ${plural(history.length, 'iteration')}`,
      data: {
        type: 'lines',
        x: { label: 'iteration', unit: 'count' },
        y: { label: 'agreement', unit: 'percent' },
        series: [{ name: 'agent', points: history.map(({ iteration, agreement }) => [iteration, agreement] as const) }],
      },
    },
  ];
}

function searchDocument(result: Search): Document {
  const { model, objective, budget, images, chosen, seed } = result;
  const { learned, selected, judged } = images;
  return {
    title: `${extremeOf(objective)} policy by input of ${basename(model)}`,
    lead:
      `${budget.policies} policies, ${formatNumber(budget.bits, 'bits')} bits for activations on average; the agent chose ` +
      `${chosen.policies} of them, the commonest for ${formatQuantity(chosen.commonest, 'percent')} of the images. ` +
      `Learned on ${plural(learned, 'image')}, selected on ${selected}, judged on ${judged}.`,
    facts: [],
    sections: [{ id: 'controls', title: 'Controls', blocks: [controlTable(result), ...historyChart(result)] }],
    footer: `faultline · seed ${seed}`,
  };
}

export const kind = defineKind({ schema: 'faultline.search-input/2', result: searchSchema, document: searchDocument });
