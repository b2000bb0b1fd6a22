// A trace: the native calls of one run on a tape, forward or with its gradients, repeated when the same arrays hold other
// values. What depends on shapes alone (checks, look-ups, memory) is done once.

export class Trace {
  private readonly calls: (() => void)[] = [];
  private lost = false;
  /** A value was made and is not filled yet. */
  private open = false;

  /** Whether replaying does all that the run did. */
  get complete(): boolean {
    return !this.lost && !this.open;
  }

  /** A value is about to be filled by the next call. */
  made(): void {
    this.lost ||= this.open;
    this.open = true;
  }

  computed(call: () => void): void {
    this.calls.push(call);
    this.open = false;
  }

  /** Something was computed that no call repeats. */
  lose(): void {
    this.lost = true;
  }

  replay(): void {
    for (const call of this.calls) call();
  }
}
