// Progress on stderr: a line that overwrites itself on a terminal, a plain line at each milestone elsewhere.

/** Between two updates of the line on a terminal. */
const INTERVAL_MS = 100;

export class ProgressLine {
  private last = Number.NEGATIVE_INFINITY;

  /** `milestone`: worth a line of its own where there is no terminal. */
  show(milestone: boolean, text: () => string): void {
    if (!process.stderr.isTTY) {
      if (milestone) process.stderr.write(`${text()}\n`);
      return;
    }
    const now = performance.now();
    if (!milestone && now - this.last < INTERVAL_MS) return;
    this.last = now;
    process.stderr.write(`\r\x1b[K${text().slice(0, (process.stderr.columns ?? 80) - 1)}`);
  }

  /** Leaves the line as it is. */
  end(): void {
    if (process.stderr.isTTY) process.stderr.write('\n');
  }
}

/** What was changed to read a model, on stderr: of many notes that say the same of other nodes, the first. */
export function tellNotes(notes: readonly string[]): void {
  const kinds = new Map<string, string[]>();
  for (const note of notes) {
    const kind = note.replace(/ \(.*?\)/, '');
    kinds.set(kind, [...(kinds.get(kind) ?? []), note]);
  }
  for (const [first, ...others] of kinds.values()) {
    process.stderr.write(`${first}${others.length > 0 ? `, and ${others.length} more` : ''}\n`);
  }
}
