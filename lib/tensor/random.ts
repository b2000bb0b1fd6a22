// The one source of random numbers. Every purpose (initialisation of a weight, order of an epoch, …) has a stream,
// split off by name, so that drawing more for one never changes another.
//
// xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2021), keyed by a hash of the
// seed and the names. Integers, uniform numbers and shuffles are the same on every machine; normal numbers as far as
// V8's log, sin and cos are, which it computes itself.
import { describe, InvalidArgumentError, requireInteger } from '../core/errors.js';

/** Words of the generator and, for a normal number kept back, its value: enough to resume exactly. */
export interface RandomState {
  readonly key: readonly number[];
  readonly words: readonly number[];
  readonly spare: number | null;
}

const WORDS = 4;
/** Odd constants of MurmurHash3's 128-bit variant, one a word. */
const MULTIPLIERS = [0x239b961b, 0xab0e9789, 0x38b34ae5, 0xa1e38b93];

/** MurmurHash3's finalizer: every bit of the result depends on every bit of x. */
function mix(x: number): number {
  let h = x;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A key of four words from another and a text. */
function deriveKey(key: readonly number[], text: string): number[] {
  const words = [...key];
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : 0x10000 + text.length; // the end, so that "a" + "b" is not "ab"
    for (let word = 0; word < WORDS; word++) {
      const neighbour = words[(word + 1) % WORDS] as number;
      const mixed = Math.imul((words[word] as number) ^ code, MULTIPLIERS[word] as number) + neighbour + word;
      words[word] = mix(mixed);
    }
  }
  return words;
}

const rotate = (x: number, bits: number) => (x << bits) | (x >>> (32 - bits));

/** Seeded random numbers, in streams that do not depend on each other. */
export class Random {
  private readonly key: readonly number[];
  private words: Uint32Array;
  private spare: number | null = null;

  /** `seed`: an integer from 0 to 2^53 − 1. */
  constructor(seed: number);
  /** @internal */
  constructor(key: readonly number[]);
  constructor(seed: number | readonly number[]) {
    if (typeof seed === 'number') {
      requireInteger('Random', 'seed', seed, 0, Number.MAX_SAFE_INTEGER);
      this.key = deriveKey([seed >>> 0, Math.floor(seed / 2 ** 32), 0, 0], 'faultline');
    } else {
      this.key = seed;
    }
    this.words = Uint32Array.from(this.key);
    if (this.words.every((word) => word === 0)) this.words[0] = 1; // the one state that xoshiro cannot leave
  }

  /** The stream for a purpose; it depends on the seed and the names that lead to it, not on what was drawn before. */
  split(purpose: string): Random {
    return new Random(deriveKey(this.key, purpose));
  }

  /** An integer, uniform in [0, 2^32). */
  uint32(): number {
    const s = this.words as unknown as [number, number, number, number];
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  /** Uniform in [low, high), by default [0, 1), with 53 random bits. */
  uniform(low = 0, high = 1): number {
    const unit = ((this.uint32() >>> 5) * 2 ** 26 + (this.uint32() >>> 6)) / 2 ** 53;
    return low + (high - low) * unit;
  }

  /** An integer, uniform in [0, bound), without bias; `bound` at most 2^32. */
  integer(bound: number): number {
    requireInteger('Random.integer', 'bound', bound, 1, 2 ** 32);
    const limit = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = this.uint32();
      if (value < limit) return value % bound;
    }
  }

  /** Normal with mean 0 and deviation 1 (Box & Muller, 1958). */
  normal(): number {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Puts the elements of an array in random order, in place (Fisher & Yates). */
  shuffle<Items extends { length: number; [index: number]: unknown }>(items: Items): Items {
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [items[i], items[j]] = [items[j], items[i]];
    }
    return items;
  }

  /** State of the stream; `Random.restore` resumes from it. */
  state(): RandomState {
    return { key: [...this.key], words: [...this.words], spare: this.spare };
  }

  /** The stream of a saved state. Throws InvalidArgumentError on anything else. */
  static restore(state: RandomState): Random {
    const valid = (words: readonly number[]) => words?.length === WORDS && words.every((word) => word >>> 0 === word);
    if (!valid(state.key) || !valid(state.words)) {
      throw new InvalidArgumentError('Random.restore', 'state', `${WORDS} words of 32 bits`, describe(state.words));
    }
    const random = new Random(state.key);
    random.words = Uint32Array.from(state.words);
    random.spare = state.spare;
    return random;
  }
}
