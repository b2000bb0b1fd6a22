// onnxruntime as an outside reference: a graph's outputs for given inputs, as it computes them.
import ort from 'onnxruntime-node';
import { sizeOf } from '../../lib/core/shape.js';
import type { Graph } from '../../lib/graph/graph.js';
import { exportModel } from '../../lib/graph/onnx/export.js';
import type { DType, TensorData } from '../../lib/tensor/dtype.js';
import { floats, type HostTensor, hostTensor } from '../../lib/tensor/host_tensor.js';
import type { Random } from '../../lib/tensor/random.js';

/** Runs the exported file on one thread. */
export async function runOnnxruntime(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Map<string, HostTensor>> {
  const session = await ort.InferenceSession.create(exportModel(graph), {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const tensors = Object.entries(feeds).map(([name, { dtype, dims, data }]) => [
    name,
    new ort.Tensor(dtype as 'float32', data as Float32Array, dims),
  ]);
  const results = await session.run(Object.fromEntries(tensors));
  await session.release();
  return new Map(
    Object.entries(results).map(([name, { type, dims, data }]) => [
      name,
      hostTensor(type as DType, dims, data as TensorData),
    ]),
  );
}

/** Normal numbers in a shape. */
export function randomTensor(random: Random, dims: readonly number[]): HostTensor<'float32'> {
  const data = new Float32Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) data[i] = random.normal();
  return floats(dims, data);
}

/** max |a − b| / max |b|: how far apart two results are, relative to their size, or to `least` where that is more. */
export function relativeDifference(actual: HostTensor, expected: HostTensor, least = 0): number {
  const [a, b] = [actual.data as Float32Array, expected.data as Float32Array];
  let difference = 0;
  let size = least;
  for (let i = 0; i < b.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
    size = Math.max(size, Math.abs(b[i] as number));
  }
  return difference === 0 ? 0 : difference / size;
}
