// A Graph as an ONNX model. Importing the result gives the same graph, weights bit for bit.
import { rename, writeFile } from 'node:fs/promises';
import { irVersionOf, operatorOf } from '../check.js';
import { UNKNOWN } from '../dims.js';
import { GraphError } from '../errors.js';
import type { Graph, ValueInfo } from '../graph.js';
import { attributesToProto } from './attributes.js';
import { encodeModel } from './codec.js';
import { fromBigInt, type ModelProto, type ValueInfoProto } from './messages.js';
import { dtypeToOnnx, tensorToProto } from './tensors.js';
import { MAX_MESSAGE_BYTES } from './wire.js';

/** The bytes of a `.onnx` file. Throws GraphError beyond protobuf's limit of 2 GiB. */
export function exportModel(graph: Graph): Uint8Array {
  const weights = [...graph.initializers.values()];
  const bytes = weights.reduce((sum, { data }) => sum + ('byteLength' in data ? data.byteLength : 0), 0);
  if (bytes > MAX_MESSAGE_BYTES) {
    throw new GraphError(graph.name, `expected at most 2 GiB of weights (protobuf's limit), received ${bytes} bytes`);
  }
  return encodeModel(modelOf(graph));
}

/** Writes a `.onnx` file: under a temporary name first, so that it is never half-written. */
export async function saveModel(graph: Graph, path: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`;
  await writeFile(temporary, exportModel(graph));
  await rename(temporary, path);
}

export function modelOf(graph: Graph): ModelProto {
  const { metadata } = graph;
  const model: ModelProto = {
    irVersion: metadata.irVersion ?? irVersionOf(graph.opset),
    opsetImport: [{ domain: '', version: graph.opset }],
    graph: {
      name: graph.name,
      node: graph.nodes.map((node) => ({
        name: node.name,
        opType: node.operator,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: attributesToProto(node, operatorOf(node)),
      })),
      initializer: [...graph.initializers].map(([name, tensor]) => tensorToProto(tensor, name)),
      input: graph.inputs.map(valueToProto),
      output: graph.outputs.map(valueToProto),
      valueInfo: [...graph.values.values()].map(valueToProto),
    },
  };
  if (metadata.producerName !== undefined) model.producerName = metadata.producerName;
  if (metadata.producerVersion !== undefined) model.producerVersion = metadata.producerVersion;
  if (metadata.domain !== undefined) model.domain = metadata.domain;
  if (metadata.modelVersion !== undefined) model.modelVersion = fromBigInt(metadata.modelVersion);
  if (metadata.docString !== undefined) model.docString = metadata.docString;
  if (metadata.properties) {
    model.metadataProps = Object.entries(metadata.properties).map(([key, value]) => ({ key, value }));
  }
  return model;
}

function valueToProto({ name, dtype, dims }: ValueInfo): ValueInfoProto {
  const elemType = dtypeToOnnx(dtype);
  if (!dims) return { name, type: { tensorType: { elemType } } };
  const dim = dims.map((size) => {
    if (typeof size === 'number') return { dimValue: size };
    return size === UNKNOWN ? {} : { dimParam: size };
  });
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
