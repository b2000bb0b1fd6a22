// A quantized network as an ONNX model that other runtimes run: the codes of the integer backend, activations
// quantized at run time from the range of the whole tensor (`W8A8/tensor`; with one image
// a batch that is each sample's own range, but for matrix products of several rows).

import type { Scheme } from '../../format/scheme.js';
import type { Graph } from '../../graph/graph.js';
import { inferShapes } from '../../graph/infer.js';
import { encodeModel } from '../../graph/onnx/codec.js';
import { modelOf } from '../../graph/onnx/export.js';
import type { GraphProto, NodeProto } from '../../graph/onnx/messages.js';
import { prepare } from '../../graph/prepare.js';
import { productView } from '../../graph/product.js';
import { checkPolicy, type Policy } from '../../policy/policy.js';
import { productOf } from '../product.js';
import { ActivationQuantizer } from './activation.js';
import { type ExportForm, type ProductExport, ProductExporter } from './product.js';
import { MICROSOFT, ModelWriter } from './writer.js';

/** The kind of file. */
export interface ExportQuantizedOptions {
  /**
   * `integer` (default): ConvInteger and MatMulInteger; MatMulNBits of com.microsoft for linear weights of at most 4
   * bits. `qdq`: float32 operators between DequantizeLinear, for runtimes that fuse these or have nothing else.
   */
  readonly format?: 'integer' | 'qdq' | undefined;
  /** Eight-bit weights in −64 … 64, for targets whose processors have no VNNI. Default false. */
  readonly reduceRange?: boolean | undefined;
}

/** What became of a node. */
export interface ExportedNode {
  readonly node: string;
  readonly operator: string;
  /** undefined: left in float32, as the policy says. */
  readonly bits: Scheme | undefined;
  readonly form: ExportForm | 'float32';
  /** What the target cannot execute as the policy says, and what was done instead, a sentence each. */
  readonly remarks: readonly string[];
}

/** A file for other runtimes, and what became of each node in it. */
export interface ExportedModel {
  /** The bytes of the .onnx file. */
  readonly bytes: Uint8Array;
  /** One for each quantizable node, in order. */
  readonly nodes: readonly ExportedNode[];
}

/** Bits that DynamicQuantizeLinear quantizes to. */
const DYNAMIC_BITS = 8;

/** `rows`: whether a sample has several rows, tokens, that get separate ranges in the integer backend. */
function remarksOf({ weights, activations }: Scheme, storedBits: number, rows: boolean): string[] {
  const [bits, activationBits] = [weights.format.bits, activations.format.bits];
  const remarks: string[] = [];
  const apart = activations.format.kind === 'integer' && activations.granularity.kind !== 'perTensor';
  if (rows && apart) remarks.push('all rows of its input share a range; measured here is one for each row');
  if (activationBits < DYNAMIC_BITS) {
    remarks.push(`no operator quantizes to ${activationBits} bits at run time: elementary ones make the same codes`);
  }
  if (bits < storedBits) remarks.push(`its ${bits}-bit weights take ${storedBits} bits each`);
  return remarks;
}

/**
 * The network under a static policy. Constants and batch norms are folded first, as for the integer backend, whose
 * codes and scales the file contains. Nodes of other operators are unchanged.
 *
 * Throws GraphError when the policy does not fit the graph, or naming a node that no kernel computes.
 */
export function exportQuantized(graph: Graph, policy: Policy, options: ExportQuantizedOptions = {}): ExportedModel {
  checkPolicy(graph, policy);
  const { format = 'integer', reduceRange = false } = options;
  const folded = prepare(graph);
  const model = modelOf(folded);
  const proto = model.graph as GraphProto;
  const types = inferShapes(folded);
  const writer = new ModelWriter(folded, new Set(policy.schemes.keys()));
  const exporter = new ProductExporter(writer, new ActivationQuantizer(writer));
  const nodes: ExportedNode[] = [];
  folded.nodes.forEach((node, index) => {
    const message = (proto.node ?? [])[index] as NodeProto;
    const { name: nodeName, operator } = node;
    const bits = policy.schemes.get(nodeName);
    const product = bits && productOf(folded, node);
    if (!bits || !product) {
      writer.nodes.push(message);
      const remarks = ['left in float32, as the policy says'];
      if (policy.excluded.has(nodeName))
        nodes.push({ node: nodeName, operator, bits: undefined, form: 'float32', remarks });
      return;
    }
    const weightDims = productView(folded, node)?.weightDims ?? [];
    const attributes = message.attribute ?? [];
    const each: ProductExport = { node, product, scheme: bits, weightDims, attributes, reduceRange };
    const { form, remark } = exporter.chooseForm(each, format);
    exporter.write(each, form);
    const rows = product.kind === 'matmul' && (types.get(product.activation)?.dims.length ?? 0) > 2;
    const remarks = remarksOf(bits, exporter.storedBits(each, form), rows);
    nodes.push({
      node: nodeName,
      operator,
      bits,
      form,
      remarks: remark === undefined ? remarks : [remark, ...remarks],
    });
  });
  proto.node = writer.nodes;
  proto.initializer = writer.constantsRead(proto.initializer ?? [], proto.output ?? []);
  if (writer.usesMicrosoft) model.opsetImport?.push({ domain: MICROSOFT, version: 1 });
  return { bytes: encodeModel(model), nodes };
}
