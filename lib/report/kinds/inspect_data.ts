// What `inspect --data` found: inputs as a network sees them.
import { z } from 'zod';
import { bullets, type Document, section, table } from '../document.js';
import { count, defineKind, pngUrl } from '../kind.js';

const dataSchema = z.looseObject({
  schema: z.literal('faultline.inspectData/1'),
  data: z.string(),
  samples: count,
  shape: z.array(count),
  channels: z.array(z.looseObject({ min: z.number(), max: z.number(), mean: z.number(), std: z.number() })),
  classes: z.array(z.looseObject({ name: z.string(), count })).optional(),
  warnings: z.array(z.string()),
  /** Samples side by side. */
  sheet: pngUrl,
});

function dataDocument(result: z.output<typeof dataSchema>): Document {
  const { data, samples, shape, channels, classes, warnings, sheet } = result;
  const byChannel = table({ name: 'channels', caption: 'Inputs by channel', brief: true }, channels, [
    ['channel', 'channel', 'count', (_, c) => c],
    ['min', 'lowest', 'number', ({ min }) => min],
    ['max', 'highest', 'number', ({ max }) => max],
    ['mean', 'mean', 'number', ({ mean }) => mean],
    ['std', 'deviation', 'number', ({ std }) => std],
  ]);
  const byClass = classes
    ? [
        table({ name: 'classes', caption: 'Samples by class', brief: true, briefRows: 20 }, classes, [
          ['class', 'class', 'text', ({ name }) => name],
          ['samples', 'samples', 'count', (one) => one.count],
        ]),
      ]
    : [];
  const caption = 'Evenly from the first sample to the last; the lowest value of them is black, the highest white.';
  const alt = `${shape.join('×')} inputs side by side`;
  return {
    title: `Data ${data}, as the network sees them`,
    lead: `${samples} samples of ${shape.join('×')}; ${warnings.length === 0 ? 'nothing looks unusual' : 'see the warnings'}.`,
    facts: [],
    sections: [
      ...section('warnings', 'Warnings', bullets(warnings, true)),
      ...section('inputs', 'Inputs', [byChannel, ...byClass]),
      ...section('sheet', 'Contact sheet', [
        { kind: 'pictures', caption, pictures: [{ source: sheet, alt, caption: '' }] },
      ]),
    ],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.inspectData/1', result: dataSchema, document: dataDocument });
