// What `bench napi` measured: a small call from JavaScript beside the same in C++.
import { z } from 'zod';
import { column, type Document } from '../document.js';
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
  return {
    title: `matmulDynamic ${shape}: a call from JavaScript`,
    lead: `${formatNumber(overheadUs)} µs for the way there and back.`,
    facts: [],
    sections: [
      {
        id: 'times',
        title: 'Median of a call',
        blocks: [
          {
            kind: 'table',
            name: 'times',
            caption: 'Median of a call, µs',
            brief: true,
            columns: [column('from', 'from', 'text'), column('us', 'µs', 'number', { better: 'lower' })],
            rows: [
              ['JavaScript', javascriptUs],
              ['C++', nativeUs],
              ['the difference', overheadUs],
            ],
          },
        ],
      },
    ],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.bench-napi/1', result: napiSchema, document: napiDocument });
