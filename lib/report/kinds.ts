// The registry of document kinds: which module knows the result of which command.
//
// To add a kind of document:
// 1. Write lib/report/kinds/<name>.ts that exports `kind = defineKind({ schema, result, document })`.
// 2. `schema` is the name in the result's field `schema`: 'faultline.scan/1'. A change that old readers misread raises
//    it; `earlier` then reads the results of before.
// 3. `result` is the zod schema of the JSON. Use z.looseObject, so that unknown fields are kept; `decibels` of
// ../kind.js
//    for figures that may be infinite. What --json prints is the result after this check.
// 4. `document` makes the Document of the checked result and of nothing else: pictures are data URLs in the result.
// 5. Blocks with `brief: true` are shown on the terminal too. Columns may have a `short` heading for 80 columns, or
//    `brief: false` to stay off the terminal, and `better` where a higher or lower figure is the better one (for `diff`).
// 6. Add a line to KINDS below.
// 7. Return such a result from the command's `run`: the harness prints it and writes report.json, .html, .md and tables.
// 8. Test it in test/lib/report/kinds/<name>.test.ts: a result made by the library passes `check`, and all formats of
//    its Document hold what matters (test/support/documents.ts).
import { describe, InvalidArgumentError } from '../core/errors.js';
import { bullets, type Document, section } from './document.js';
import type { Kind } from './kind.js';

const KINDS: Readonly<Record<string, () => Promise<{ readonly kind: Kind }>>> = {
  'faultline.assess/1': () => import('./kinds/assess.js'),
  'faultline.assess/2': () => import('./kinds/assess.js'),
  'faultline.bench/1': () => import('./kinds/bench_kernels.js'),
  'faultline.bench-model/1': () => import('./kinds/bench_model.js'),
  'faultline.bench-napi/1': () => import('./kinds/bench_napi.js'),
  'faultline.corruptions/1': () => import('./kinds/corruptions.js'),
  'faultline.diff/1': () => import('./kinds/diff.js'),
  'faultline.evaluate/1': () => import('./kinds/evaluate.js'),
  'faultline.indicators/1': () => import('./kinds/study.js'),
  'faultline.inspect/1': () => import('./kinds/inspect.js'),
  'faultline.inspectData/1': () => import('./kinds/inspect_data.js'),
  'faultline.inspectModel/1': () => import('./kinds/inspect_model.js'),
  'faultline.mitigate/1': () => import('./kinds/mitigate.js'),
  'faultline.profile/1': () => import('./kinds/profile.js'),
  'faultline.quantize/1': () => import('./kinds/quantize.js'),
  'faultline.report/1': () => import('./kinds/report.js'),
  'faultline.scan/1': () => import('./kinds/scan.js'),
  'faultline.search/2': () => import('./kinds/search.js'),
  'faultline.search-input/2': () => import('./kinds/search_input.js'),
  'faultline.train/1': () => import('./kinds/train.js'),
  'faultline.vulnerable/1': () => import('./kinds/vulnerable.js'),
};

/** A result that its schema accepts, and its Document. */
export interface CheckedResult {
  readonly schema: string;
  readonly result: { readonly schema: string };
  readonly document: Document;
}

/** Names of all schemas that can be read. */
export const SCHEMAS: readonly string[] = Object.keys(KINDS);

/** The kind whose name `schema` is. Throws InvalidArgumentError on a schema that is unknown. */
export async function kindNamed(schema: unknown): Promise<Kind> {
  const load = typeof schema === 'string' && Object.hasOwn(KINDS, schema) ? KINDS[schema] : undefined;
  if (!load) throw new InvalidArgumentError('report', 'schema', `one of ${SCHEMAS.join(', ')}`, describe(schema));
  return (await load()).kind;
}

/** Checks what a command returned, or its JSON, and makes the Document. Throws InvalidArgumentError. */
export async function checkResult(value: unknown): Promise<CheckedResult> {
  const kind = await kindNamed((value as { schema?: unknown } | null | undefined)?.schema);
  const result = kind.check(value) as { readonly schema: string };
  const document = kind.document(result);
  const { leftOut } = result as { readonly leftOut?: unknown };
  const omissions = Array.isArray(leftOut)
    ? section('left-out', 'Left out of the data', bullets(leftOut.map(String), true))
    : [];
  return { schema: kind.schema, result, document: { ...document, sections: [...document.sections, ...omissions] } };
}
