// Controls a measuring process. Between requests it is stopped: the threads of its library would keep spinning and take
// a core from the next contender.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Contender, InputShape, Reply, Request } from './contender.js';

const WORKER = fileURLToPath(new URL('./worker.js', import.meta.url));

/** Processes not yet ended: a stopped one would outlive its parent. */
const living = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});

export class MeasuringProcess {
  private readonly process: ChildProcess;
  private complaints = '';

  constructor(
    readonly contender: Contender,
    threads: number,
  ) {
    this.process = fork(WORKER, [], {
      env: { ...process.env, OMP_NUM_THREADS: String(threads) },
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    living.add(this.process);
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.complaints = (this.complaints + text).slice(-2000);
    });
    this.process.on('exit', () => living.delete(this.process));
  }

  /** Lets it run until it has answered. Throws what it failed with. */
  private ask<Kind extends Reply['kind']>(request: Request, kind: Kind): Promise<Extract<Reply, { kind: Kind }>> {
    const child = this.process;
    return new Promise((resolve, reject) => {
      const done = () => {
        child.off('message', answered).off('exit', ended);
        child.kill('SIGSTOP');
      };
      const answered = (reply: Reply) => {
        done();
        if (reply.kind === kind) resolve(reply as Extract<Reply, { kind: Kind }>);
        else
          reject(
            new Error(reply.kind === 'error' ? reply.message : `bench model: expected ${kind}, received ${reply.kind}`),
          );
      };
      const ended = (code: number | null, signal: string | null) => {
        done();
        const how = signal ?? `status ${code}`;
        reject(
          new Error(`bench model: the process of ${this.contender.impl} ended with ${how}: ${this.complaints.trim()}`),
        );
      };
      child.on('message', answered).on('exit', ended);
      child.kill('SIGCONT');
      child.send(request);
    });
  }

  load(threads: number, input: InputShape) {
    return this.ask({ kind: 'load', contender: this.contender, threads, input }, 'ready');
  }

  round(milliseconds: number) {
    return this.ask({ kind: 'round', milliseconds }, 'round');
  }

  layers() {
    return this.ask({ kind: 'layers' }, 'layers');
  }

  end(): void {
    this.process.kill('SIGKILL');
  }
}
