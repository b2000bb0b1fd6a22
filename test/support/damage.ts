// Files damaged at random, bytes of them or values of their JSON, and what their readers may say of that.
import assert from 'node:assert/strict';
import type { Random } from '../../lib/tensor/random.js';

/** What breaks readers that trust: other types, extremes, names of prototypes. */
const VALUES: readonly unknown[] = [
  ...[null, true, 0, -1, 1.5, 2 ** 31, 2 ** 53, 1e308, '', 'W9A9', '../x', '\u0000', [], [null], [[]], {}],
  ...[{ length: 1e9 }, { toString: 1 }, JSON.parse('{"__proto__":{"x":1}}'), 'constructor', [1e9], ['a', 'a']],
];
const TOKENS = ['null', '-1', '1e999', '"', '[', ']', '{', '}', ',', ':', '\\u0000', '\xff', '0'.repeat(400), '[[[['];

/** One value anywhere in JSON replaced, removed or doubled. */
function withOtherValue(json: unknown, random: Random): unknown {
  if (typeof json !== 'object' || json === null || random.integer(8) === 0)
    return VALUES[random.integer(VALUES.length)];
  const keys = Object.keys(json);
  const key = keys[random.integer(Math.max(1, keys.length))];
  if (key === undefined) return VALUES[random.integer(VALUES.length)];
  const copy: Record<string, unknown> = Array.isArray(json) ? ([...json] as never) : { ...json };
  const action = random.integer(10);
  if (action === 0) delete copy[key];
  else if (action === 1 && Array.isArray(copy)) copy.push(copy[Number(key)]);
  else copy[key] = withOtherValue(copy[key], random);
  return copy;
}

function withOtherBytes(bytes: Buffer, random: Random): Buffer {
  const at = random.integer(bytes.length + 1);
  const [head, tail] = [bytes.subarray(0, at), bytes.subarray(at)];
  const cut = 1 + random.integer(20);
  switch (random.integer(5)) {
    case 0:
      return head;
    case 1:
      return Buffer.concat([head, tail.subarray(cut)]);
    case 2:
      return Buffer.concat([head, tail.subarray(0, cut), tail]);
    case 3:
      return Buffer.concat([head, Buffer.from(TOKENS[random.integer(TOKENS.length)] as string, 'latin1'), tail]);
    default: {
      const copy = Buffer.from(bytes);
      for (let i = 0; i <= random.integer(3); i++) {
        const place = random.integer(Math.max(1, copy.length));
        copy[place] = (copy[place] ?? 0) ^ (1 << random.integer(8));
      }
      return copy;
    }
  }
}

/** A damaged copy of a file. */
export function damaged(bytes: Uint8Array, random: Random): Buffer {
  const original = Buffer.from(bytes);
  if (random.integer(2) === 0) return withOtherBytes(original, random);
  try {
    return Buffer.from(JSON.stringify(withOtherValue(JSON.parse(original.toString()), random)));
  } catch {
    return withOtherBytes(original, random);
  }
}

/** Reads a damaged file. Whether it was accepted; fails where the refusal is not one that names the file. */
export async function acceptedOrRefused(file: string, damage: Uint8Array, read: () => unknown): Promise<boolean> {
  try {
    await read();
    return true;
  } catch (error) {
    const shown = damage.length > 3000 ? `${damage.length} bytes` : damage.toString();
    assert.ok(error instanceof Error, String(error));
    assert.ok(error.message.includes(file), `${error.stack}\n${shown}`);
    assert.match(error.message, /expected .*received /s, `${error.stack}\n${shown}`);
    return false;
  }
}
