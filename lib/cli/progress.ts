// Progress on stderr: a line that overwrites itself on a terminal, a plain line at each milestone elsewhere.
import { plain } from '../core/text.js';
import { cut } from '../report/text.js';
import { overwrite, say } from './output.js';

/** Between two updates of the line on a terminal. */
const INTERVAL_MS = 100;

export class Progress {
  private last = Number.NEGATIVE_INFINITY;
  private open = false;
  /** What `leftOut` was told. */
  readonly omissions: string[] = [];

  /** `quiet`: says nothing. */
  constructor(private readonly quiet = false) {}

  /** `milestone`: printed as a line where there is no terminal. */
  show(milestone: boolean, text: () => string): void {
    if (this.quiet) return;
    if (!process.stderr.isTTY) {
      if (milestone) say(plain(text()));
      return;
    }
    const now = performance.now();
    if (!milestone && now - this.last < INTERVAL_MS) return;
    this.last = now;
    this.open = true;
    overwrite(cut(plain(text()), (process.stderr.columns ?? 80) - 1));
  }

  /** An `onProgress` of the library: `12/64 samples`, a milestone when all are done. */
  counts(unit: string): (done: number, total: number) => void {
    return (done, total) => this.show(done === total, () => `${done}/${total} ${unit}`);
  }

  /** The same of a library function that names its stage. */
  readonly stage = (stage: string, done: number, total: number): void =>
    this.show(done === total, () => `${stage}: ${done}/${total}`);

  /** A sentence that stays. */
  say(text: string): void {
    if (this.quiet) return;
    this.end();
    say(plain(text));
  }

  /** What was changed to read a model: of many notes that say the same of other nodes, the first. */
  readonly notes = (notes: readonly string[]): void => {
    const kinds = new Map<string, string[]>();
    for (const note of notes) {
      const kind = note.replace(/ \(.*?\)/g, '');
      kinds.set(kind, [...(kinds.get(kind) ?? []), note]);
    }
    for (const [first, ...others] of kinds.values()) {
      this.say(`${first}${others.length > 0 ? `, and ${others.length} more` : ''}`);
    }
  };

  /** What was left out of the data: said, and kept for the result. */
  readonly leftOut = (notes: readonly string[]): void => {
    for (const note of notes) this.say(note);
    this.omissions.push(...notes);
  };

  /** Leaves the line as it is. */
  end(): void {
    if (this.open) say('');
    this.open = false;
  }
}
