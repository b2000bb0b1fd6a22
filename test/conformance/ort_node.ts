// onnxruntime-node as an outside reference: models of one node, built and encoded by our codec.
import * as ort from 'onnxruntime-node';
import { encodeModel } from '../../lib/graph/onnx/codec.js';
import type { AttributeProto } from '../../lib/graph/onnx/messages.js';
import { AttributeType } from '../../lib/graph/onnx/schema.js';
import { dtypeToOnnx, tensorToProto } from '../../lib/graph/onnx/tensors.js';
import type { DType } from '../../lib/tensor/dtype.js';
import type { HostTensor } from '../../lib/tensor/host_tensor.js';
import type { Attributes } from './integer_operators.js';

/** Of opset 21, the newest that these tests write. */
const IR_VERSION = 10;

function attributeProto(name: string, value: unknown): AttributeProto {
  if (Array.isArray(value)) return { name, ints: value as number[], type: AttributeType.INTS };
  if (typeof value === 'string') return { name, s: new TextEncoder().encode(value), type: AttributeType.STRING };
  return { name, i: value as number, type: AttributeType.INT };
}

export interface SingleNode {
  readonly operator: string;
  readonly opset: number;
  readonly attributes?: Attributes;
  /** An element type: fed at each run, of any shape. A tensor: a constant of the model. undefined: absent. */
  readonly inputs: readonly (DType | HostTensor | undefined)[];
  readonly outputs: readonly DType[];
}

/** A model of one node, ready to run. */
export class OrtNode {
  private constructor(
    private readonly session: ort.InferenceSession,
    private readonly node: SingleNode,
  ) {}

  /** Rejects with ONNX Runtime's message when it has no kernel for these types or attributes. */
  static async create(node: SingleNode): Promise<OrtNode> {
    const fed: { name: string; dtype: DType }[] = [];
    const constants: { name: string; tensor: HostTensor }[] = [];
    const names = node.inputs.map((input, i) => {
      const name = `input${i}`;
      if (input === undefined) return '';
      if (typeof input === 'string') fed.push({ name, dtype: input });
      else constants.push({ name, tensor: input });
      return name;
    });
    const value = (name: string, dtype: DType) => ({ name, type: { tensorType: { elemType: dtypeToOnnx(dtype) } } });
    const model = encodeModel({
      irVersion: IR_VERSION,
      opsetImport: [{ domain: '', version: node.opset }],
      graph: {
        name: node.operator,
        node: [
          {
            opType: node.operator,
            input: names,
            output: node.outputs.map((_, i) => `output${i}`),
            attribute: Object.entries(node.attributes ?? {}).map(([name, v]) => attributeProto(name, v)),
          },
        ],
        initializer: constants.map(({ name, tensor }) => tensorToProto(tensor, name)),
        input: fed.map(({ name, dtype }) => value(name, dtype)),
        output: node.outputs.map((dtype, i) => value(`output${i}`, dtype)),
      },
    });
    const session = await ort.InferenceSession.create(model, {
      intraOpNumThreads: 1,
      logSeverityLevel: 4, // what it refuses, it says in the error
    });
    return new OrtNode(session, node);
  }

  /** The outputs for the inputs that are fed, given by their place; constants are ignored. */
  async run(inputs: readonly (HostTensor | undefined)[]): Promise<HostTensor[]> {
    const feeds: Record<string, ort.Tensor> = {};
    this.node.inputs.forEach((input, i) => {
      const tensor = inputs[i];
      if (typeof input !== 'string' || tensor === undefined) return;
      feeds[`input${i}`] = new ort.Tensor(tensor.dtype as 'int8', tensor.data as Int8Array, tensor.dims);
    });
    const results = await this.session.run(feeds);
    return this.node.outputs.map((dtype, i) => {
      const result = results[`output${i}`] as ort.Tensor;
      return { dtype, dims: result.dims, data: result.data } as HostTensor;
    });
  }

  release(): Promise<void> {
    return this.session.release();
  }
}
