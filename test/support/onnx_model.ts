// ONNX models written by hand.
import { encodeModel } from '../../lib/graph/onnx/codec.js';
import { importModel } from '../../lib/graph/onnx/import.js';
import type { GraphProto, ModelProto, NodeProto } from '../../lib/graph/onnx/messages.js';

/** A model of the given nodes on an input x of [2,3,4,4]. */
export function model(node: NodeProto[], graph: GraphProto = {}, opset = 17): ModelProto {
  const dim = [2, 3, 4, 4].map((dimValue) => ({ dimValue }));
  return {
    irVersion: 8,
    opsetImport: [{ version: opset }],
    graph: {
      name: 'g',
      input: [{ name: 'x', type: { tensorType: { elemType: 1, shape: { dim } } } }],
      output: [{ name: 'y', type: { tensorType: { elemType: 1 } } }],
      node,
      ...graph,
    },
  };
}

/** Through the bytes of a file. */
export const load = (proto: ModelProto) => importModel(encodeModel(proto), 'm.onnx');
