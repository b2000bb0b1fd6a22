// ONNX Runtime at its best on a dynamic int8 network: its ConvInteger is ten times as fast with unsigned weights and zero
// point 128 as with signed ones, so the exported codes are moved by 128. The arithmetic stays the same.
import { decodeModel, encodeModel } from '../../graph/onnx/codec.js';
import type { TensorProto } from '../../graph/onnx/messages.js';

/** TensorProto.DataType */
const UINT8 = 2;
const INT8 = 3;
const ZERO_POINT = 128;
const ZERO_POINT_NAME = 'faultline.weightZeroPoint';

/** The same model with unsigned weights in every ConvInteger. Models without any come back as they are. */
export function withUnsignedConvWeights(bytes: Uint8Array): Uint8Array {
  const model = decodeModel(bytes);
  const { node: nodes = [], initializer: initializers = [] } = model.graph ?? {};
  const signed = new Map(
    initializers.filter(({ dataType }) => dataType === INT8).map((tensor) => [tensor.name ?? '', tensor]),
  );
  let moved = 0;
  for (const node of nodes) {
    const tensor = signed.get(node.input?.[1] ?? '');
    if (node.opType !== 'ConvInteger' || !tensor?.rawData || node.input?.[3]) continue;
    const [x = '', w = '', zeroPoint = ''] = node.input ?? [];
    tensor.rawData = tensor.rawData.map((code) => code ^ ZERO_POINT);
    tensor.dataType = UINT8;
    node.input = [x, w, zeroPoint, ZERO_POINT_NAME];
    moved += 1;
  }
  if (moved === 0) return bytes;
  const zero: TensorProto = { dims: [], dataType: UINT8, name: ZERO_POINT_NAME, rawData: Uint8Array.of(ZERO_POINT) };
  initializers.push(zero);
  return encodeModel(model);
}
