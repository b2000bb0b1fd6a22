// What a kind of document is: the schema of a command's result, and the Document that is made of it.
import { z } from 'zod';
import { InvalidArgumentError } from '../core/errors.js';
import { asJson } from '../run/files.js';
import type { Document } from './document.js';

/** The result of one command, as JSON and as a Document. */
export interface Kind<Result = unknown> {
  /** `faultline.scan/1`: what the field `schema` of a result says. */
  readonly schema: string;
  /** The form of a result. */
  readonly result: z.ZodType;
  /** A result or its JSON, checked. Throws InvalidArgumentError naming the first field that is wrong. */
  check(value: unknown): Result;
  /** Throws InvalidArgumentError where figures contradict each other. */
  document(result: Result): Document;
}

/** `result` describes the JSON; its output is what `document` takes. */
export function defineKind<Schema extends z.ZodType>(definition: {
  readonly schema: string;
  readonly result: Schema;
  /** Reads results of earlier schemas, by their names, as results of this one. */
  readonly earlier?: Readonly<Record<string, z.ZodType<z.output<Schema>>>>;
  readonly document: (result: z.output<Schema>) => Document;
}): Kind<z.output<Schema>> {
  const { schema, result, earlier = {}, document } = definition;
  return {
    schema,
    result,
    document(value) {
      try {
        return document(value);
      } catch (error) {
        if (error instanceof InvalidArgumentError) throw error;
        throw new InvalidArgumentError('report', 'result', `figures that fit together in ${schema}`, String(error));
      }
    },
    check(value) {
      const json = asJson(value);
      const named = (json as { readonly schema?: unknown } | null)?.schema;
      const parsed = ((typeof named === 'string' && earlier[named]) || result).safeParse(json);
      if (parsed.success) return parsed.data;
      const [issue] = parsed.error.issues;
      const field = issue?.path.join('.') || 'result';
      throw new InvalidArgumentError('report', field, `what ${schema} says`, issue?.message ?? 'something else');
    },
  };
}

/** Signal over noise: Infinity without noise, which is null in JSON. */
export const decibels = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);

/** A picture within a result; no other address is ever loaded. */
export const pngUrl = z.string().regex(/^data:image\/png;base64,[A-Za-z0-9+/=]*$/, 'a PNG data URL');

/** A share of a whole, 0–1. */
export const share = z.number().min(0).max(1);

export const count = z.number().int().nonnegative();

/** A figure that JSON cannot hold where it is infinite or undefined. */
export const figure = z.number().nullable();

/** Percent on a scale of 100. */
export const percentage = z.number().min(0).max(100);

/** Ends of a confidence interval, lower first. */
export const interval = z.tuple([z.number(), z.number()]).refine(([low, high]) => low <= high, 'lower end first');

export const estimate = z.looseObject({ value: z.number(), interval });
