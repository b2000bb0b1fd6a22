// Times fp32 inference of whole networks beside onnxruntime-node, interleaved, medians:
//   node bench/inference.mjs [network …] [--threads 1,2] [--batch 1,128]
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Random, setThreads } from 'faultline/engine';
import { buildModel, compile, exportModel, float, Parameters, prepare } from 'faultline/graph';
import { Tape } from '../dist/lib/autograd/tape.js';
import { table } from '../dist/lib/report/document.js';
import { terminalTable } from '../dist/lib/report/terminal.js';
import { Memory } from '../dist/lib/tensor/memory.js';

const SECONDS = 2;
const MIN_ROUNDS = 5;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { threads: { type: 'string', default: '1,2' }, batch: { type: 'string', default: '1,128' } },
});
const numbers = (text) => text.split(',').map(Number);
const median = (times) => times.sort((a, b) => a - b)[times.length >> 1];

/** Our program of the folded graph; the logits are a view that the next run overwrites. */
function ours(graph, dims, input) {
  const program = compile(graph, float());
  const parameters = new Parameters(graph);
  const memory = new Memory();
  return async () => {
    memory.reset();
    const tape = new Tape({ memory, training: false, record: false });
    const feeds = { [graph.inputs[0].name]: tape.constant(input, dims, 'channelsLast') };
    return program.run(feeds, { tape, parameters }).get(graph.outputs[0].name).data;
  };
}

async function theirs(graph, dims, input, threads) {
  const options = { intraOpNumThreads: threads, executionMode: 'sequential' };
  const session = await InferenceSession.create(exportModel(graph), options);
  // The same images, channels first.
  const [n, c, h, w] = dims;
  const moved = new Float32Array(input.length);
  for (let i = 0; i < n; i++) {
    for (let pixel = 0; pixel < h * w; pixel++) {
      for (let k = 0; k < c; k++) moved[(i * c + k) * h * w + pixel] = input[(i * h * w + pixel) * c + k];
    }
  }
  const feeds = { [graph.inputs[0].name]: new Tensor('float32', moved, dims) };
  return async () => (await session.run(feeds))[graph.outputs[0].name].data;
}

function check(name, a, b) {
  const size = b.reduce((most, y) => Math.max(most, Math.abs(y)), 0);
  const worst = a.reduce((most, y, i) => Math.max(most, Math.abs(y - b[i])), 0) / size;
  if (!(worst <= 1e-4)) throw new Error(`${name}: expected logits within 1e-4 of onnxruntime's, received ${worst}`);
}

const rows = [];
for (const name of positionals.length > 0 ? positionals : ['resnet8', 'resnet20', 'resnet18-cifar', 'mobilenetv2-cifar']) {
  for (const threads of numbers(values.threads)) {
    for (const batch of numbers(values.batch)) {
      setThreads(threads);
      const graph = prepare(buildModel(name));
      const dims = [batch, ...graph.inputs[0].dims.slice(1)];
      const random = new Random(1);
      const input = Float32Array.from({ length: dims.reduce((p, d) => p * d, 1) }, () => random.uniform());
      const runs = [ours(graph, dims, input), await theirs(graph, dims, input, threads)];
      check(name, Float32Array.from(await runs[0]()), await runs[1]());
      const times = [[], []];
      const end = performance.now() + 1000 * SECONDS;
      while (performance.now() < end || times[0].length < MIN_ROUNDS) {
        for (const [i, run] of runs.entries()) {
          const start = performance.now();
          await run();
          times[i].push(performance.now() - start);
        }
      }
      const [faultline, onnxruntime] = times.map(median);
      rows.push({ name, threads, batch, faultline, onnxruntime });
      console.error(`${name}, ${threads} threads, batch ${batch}: measured`);
    }
  }
}
const shown = table({ name: 'inference', caption: 'Medians' }, rows, [
  ['network', 'network', 'text', ({ name }) => name],
  ['threads', 'threads', 'count', ({ threads }) => threads],
  ['batch', 'batch', 'count', ({ batch }) => batch],
  ['faultline', 'faultline, ms', 'number', ({ faultline }) => faultline],
  ['onnxruntime', 'onnxruntime, ms', 'number', ({ onnxruntime }) => onnxruntime],
  ['ratio', 'times as fast', 'number', ({ faultline, onnxruntime }) => onnxruntime / faultline],
]);
console.log(terminalTable(shown).join('\n'));
