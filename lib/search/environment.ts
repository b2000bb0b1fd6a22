// What an agent plays against: it proposes bits for all nodes and learns their fitness, at the cost of one evaluation for
// each policy that was not requested before. It counts exactly, stores every score, and keeps the best and the history.
import { requireInteger } from '../core/errors.js';
import type { Policy } from '../policy/policy.js';
import type { Random } from '../tensor/random.js';
import { fitness, type Judge, type Objective, type Score } from './judge.js';
import { keyOf, type NodeSchemes, schemesOf } from './space.js';

/** A policy with its score. */
export interface Found extends Score {
  readonly policy: Policy;
}

/** An improvement in the course of a search. */
export interface HistoryPoint {
  /** Evaluations made when this became the best. */
  readonly evaluations: number;
  /** Its measure, a share. */
  readonly best: number;
}

/** How far a search is. */
export interface SearchProgress {
  readonly evaluations: number;
  readonly total: number;
  /** Undefined until a policy of the budget was evaluated. */
  readonly best: Found | undefined;
}

export interface EnvironmentOptions {
  readonly objective: Objective;
  /** Policies that may be evaluated. */
  readonly evaluations: number;
  readonly signal?: AbortSignal | undefined;
  /** Sees how far it is. */
  readonly onProgress?: ((progress: SearchProgress) => void) | undefined;
}

/** Draws that may meet policies already seen before the space is searched for others. */
const DRAWS = 64;

/** Counts and remembers the evaluations of one search: as many as were allowed. */
export class Environment {
  best: Found | undefined;
  evaluations = 0;
  readonly history: HistoryPoint[] = [];
  private readonly fitnesses = new Map<string, number>();
  private bestFitness = Number.NEGATIVE_INFINITY;
  private seenInSpace = 0n;

  constructor(
    readonly judge: Judge,
    private readonly options: EnvironmentOptions,
  ) {
    requireInteger('search', 'evaluations', options.evaluations, 1, Number.MAX_SAFE_INTEGER);
  }

  get space() {
    return this.judge.space;
  }

  get objective(): Objective {
    return this.options.objective;
  }

  get left(): number {
    return this.options.evaluations - this.evaluations;
  }

  /** Nothing more to learn: no evaluation is left, or no policy of the budget unseen. */
  get done(): boolean {
    return this.left <= 0 || this.seenInSpace >= this.space.count;
  }

  /** What is known of a candidate, at no cost. */
  known(candidate: NodeSchemes): number | undefined {
    return this.fitnesses.get(keyOf(candidate));
  }

  /**
   * Fitness of each candidate, in order. Those outside of the budget (probes) cost an evaluation too, and are never the
   * best. Where evaluations run out, only the first candidates that they sufficed for are returned.
   */
  async evaluate(candidates: readonly NodeSchemes[]): Promise<number[]> {
    const fresh = new Map<string, NodeSchemes>();
    let affordable = 0;
    for (const candidate of candidates) {
      const key = keyOf(candidate);
      if (!this.fitnesses.has(key) && !fresh.has(key)) {
        if (fresh.size === this.left) break;
        fresh.set(key, candidate);
      }
      affordable += 1;
    }
    const pending = [...fresh];
    const { atOnce } = this.judge;
    for (let from = 0; from < pending.length; from += atOnce) await this.learn(pending.slice(from, from + atOnce));
    return candidates.slice(0, affordable).map((candidate) => this.known(candidate) as number);
  }

  private async learn(pending: readonly (readonly [string, NodeSchemes])[]): Promise<void> {
    const { signal, onProgress, evaluations: total } = this.options;
    signal?.throwIfAborted();
    const policies = pending.map(([, candidate]) => this.space.policy(candidate));
    const scores = await this.judge.score(policies, signal);
    scores.forEach((score, i) => {
      const policy = policies[i] as Policy;
      const value = fitness(this.objective, this.judge.samples, score);
      this.fitnesses.set((pending[i] as readonly [string, NodeSchemes])[0], value);
      this.evaluations += 1;
      if (!this.space.has(policy)) return;
      this.seenInSpace += 1n;
      if (this.best && value <= this.bestFitness) return;
      this.bestFitness = value;
      this.best = { policy, ...score };
      this.history.push({ evaluations: this.evaluations, best: score.value });
    });
    onProgress?.({ evaluations: this.evaluations, total, best: this.best });
  }

  /** A policy of the budget that was not evaluated, drawn uniformly; undefined when there is none. */
  unseen(random: Random, alsoSeen: ReadonlySet<string> = new Set()): NodeSchemes | undefined {
    const isNew = (candidate: NodeSchemes) => {
      const key = keyOf(candidate);
      return !this.fitnesses.has(key) && !alsoSeen.has(key);
    };
    for (let draw = 0; draw < DRAWS; draw++) {
      const candidate = schemesOf(this.space.sample(random));
      if (isNew(candidate)) return candidate;
    }
    const others: NodeSchemes[] = [];
    for (const policy of this.space.policies()) {
      const candidate = schemesOf(policy);
      if (isNew(candidate)) others.push(candidate);
    }
    return others.length > 0 ? others[random.integer(others.length)] : undefined;
  }
}
