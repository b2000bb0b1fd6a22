// What `bench napi` measured: a small call from JavaScript beside the same in C++.
import { z } from 'zod';
import { type Document, section, table } from '../document.js';
import { formatNumber } from '../format.js';
import { defineKind } from '../kind.js';

const napiSchema = z.looseObject({
  schema: z.literal('faultline.bench-napi/1'),
  shape: z.string(),
  javascriptUs: z.number(),
  nativeUs: z.number(),
  overheadUs: z.number(),
});

function napiDocument({ shape, javascriptUs, nativeUs, overheadUs }: z.output<typeof napiSchema>): Document {
  const times = Object.entries({ JavaScript: javascriptUs, 'C++': nativeUs, 'the difference': overheadUs });
  const all = table({ name: 'times', caption: 'Median of a call, µs', brief: true }, times, [
    ['from', 'from', 'text', ([name]) => name],
    ['us', 'µs', 'number', ([, us]) => us, { better: 'lower' }],
  ]);
  return {
    title: `matmulDynamic ${shape}: a call from JavaScript`,
    lead: `${formatNumber(overheadUs)} µs for the way there and back.`,
    facts: [],
    sections: section('times', 'Median of a call', [all]),
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.bench-napi/1', result: napiSchema, document: napiDocument });
