// What `reproduce`, `pair` and `attack` found: faultline.report/1.
import { buildDocument } from '../build.js';
import { defineKind } from '../kind.js';
import { reportSchema } from '../schema.js';

export const kind = defineKind({ schema: 'faultline.report/1', result: reportSchema, document: buildDocument });
