// Values that a zod schema accepts, drawn at random: results of every kind with the texts of an attacker.
import { z } from 'zod';
import type { Random } from '../../lib/tensor/random.js';

type Json = Readonly<Record<string, unknown>>;

const TIME = '2026-01-02T03:04:05Z';
const PICTURE = 'data:image/png;base64,AAAA';
/** Of arrays and records. */
const MOST_ITEMS = 3;

function drawn(schema: Json, random: Random, text: () => string): unknown {
  const pick = <T>(values: readonly T[]) => values[random.integer(values.length)] as T;
  const inside = (each: unknown) => drawn((each ?? {}) as Json, random, text);
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return pick(schema.enum);
  if (Array.isArray(schema.anyOf)) return inside(pick(schema.anyOf));
  const type = Array.isArray(schema.type) ? pick(schema.type) : schema.type;
  switch (type) {
    case 'string':
      if (schema.format === 'date-time') return TIME;
      return schema.pattern === undefined ? text() : PICTURE;
    case 'boolean':
      return random.integer(2) === 0;
    case 'null':
      return null;
    case 'integer':
    case 'number': {
      const { minimum = 0, maximum = 100 } = schema as { minimum?: number; maximum?: number };
      const [low, high] = [Math.max(minimum, 0), Math.min(maximum, Math.max(minimum, 0) + 100)];
      return type === 'integer' ? low + random.integer(high - low + 1) : random.uniform(low, high);
    }
    case 'array': {
      if (Array.isArray(schema.prefixItems)) {
        const items = schema.prefixItems.map(inside);
        // Intervals: the lower end is first.
        return items.every((item) => typeof item === 'number') ? items.sort((a, b) => a - b) : items;
      }
      const least = (schema.minItems as number | undefined) ?? 1;
      return Array.from({ length: least + random.integer(MOST_ITEMS) }, () => inside(schema.items));
    }
    case 'object': {
      const {
        properties = {},
        required = [],
        additionalProperties,
      } = schema as {
        properties?: Json;
        required?: readonly string[];
        additionalProperties?: unknown;
      };
      const entries = Object.entries(properties).filter(([key]) => required.includes(key) || random.integer(4) > 0);
      const free = Object.keys(properties).length === 0 && additionalProperties !== undefined;
      const others = free ? Array.from({ length: 2 }, () => [text(), inside(additionalProperties)]) : [];
      return Object.fromEntries([...entries.map(([key, each]) => [key, inside(each)]), ...others]);
    }
    default:
      return text();
  }
}

/** A value that `schema` accepts, but for what it checks beyond types; `text` makes its texts and keys of records. */
export function fromSchema(schema: z.ZodType, random: Random, text: () => string): unknown {
  return drawn(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json, random, text);
}
