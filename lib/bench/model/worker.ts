// The process that runs one contender of `bench model` and answers over Node's channel: contender.ts says what.
import type { Reply, Request } from './contender.js';
import { makeRunner, type Runner } from './runner.js';

let runner: Runner | undefined;

async function answer(request: Request): Promise<Reply> {
  if (request.kind === 'load') {
    const baselineBytes = process.memoryUsage.rss();
    runner = await makeRunner(request.contender, request.threads, request.input);
    const logits = Float32Array.from(await runner.run());
    const failure = logits.every(Number.isFinite) ? runner.check() : 'its logits are not all finite';
    return { kind: 'ready', logits, baselineBytes, ...(failure === undefined ? {} : { failure }) };
  }
  if (!runner)
    throw new Error(`bench model: expected a contender to be loaded before "${request.kind}", received none`);
  if (request.kind === 'layers') {
    return { kind: 'layers', ...(runner.layers?.() ?? { layers: [], totalMs: 0 }) };
  }
  await runner.run();
  const callsMs: number[] = [];
  const cpu = process.cpuUsage();
  const start = performance.now();
  do {
    const before = performance.now();
    await runner.run();
    callsMs.push(performance.now() - before);
  } while (performance.now() - start < request.milliseconds);
  const { user, system } = process.cpuUsage(cpu);
  const cpuMs = (user + system) / 1000 / callsMs.length;
  // Kilobytes, as Linux counts them.
  return { kind: 'round', callsMs, cpuMs, peakBytes: process.resourceUsage().maxRSS * 1024 };
}

process.on('message', (request: Request) => {
  answer(request)
    .catch((error): Reply => ({ kind: 'error', message: error instanceof Error ? error.message : String(error) }))
    .then((reply) => process.send?.(reply));
});
process.on('disconnect', () => process.exit());
