// Errors of graphs: a malformed file, an inconsistent graph, unsupported operators.

/** Bytes that are not a well-formed ONNX file, or one of a kind that is refused. `message` is `name: what`. */
export class OnnxFormatError extends Error {
  readonly code = 'ERR_FAULTLINE_ONNX_FORMAT';

  constructor(
    /** The file, or a name for it. */
    readonly source: string,
    what: string,
    options?: ErrorOptions,
  ) {
    super(`${source}: ${what}`, options);
    this.name = 'OnnxFormatError';
  }
}

/** An inconsistent graph; the message begins with the node (operator and name) or value concerned. */
export class GraphError extends Error {
  readonly code = 'ERR_FAULTLINE_GRAPH';

  constructor(
    readonly where: string,
    readonly what: string,
  ) {
    super(`${where}: ${what}`);
    this.name = 'GraphError';
  }
}

export interface UnsupportedNode {
  /** `domain.Operator`, or the operator alone in ONNX's domain. */
  readonly operator: string;
  readonly node: string;
  /** Why, when the operator is known but this use of it is not. */
  readonly reason?: string;
}

/** Lines of a message; it stays short for a file of a million unknown nodes. `nodes` has them all. */
const MAX_LISTED = 1000;

/** Operators of models that are quantized already; faultline quantizes models in floating point. */
const QUANTIZED = /Quantize|^QLinear|Integer|NBits$/;

/** All unsupported nodes of a model. */
export class UnsupportedOperatorsError extends Error {
  readonly code = 'ERR_FAULTLINE_UNSUPPORTED_OPERATORS';

  constructor(
    readonly source: string,
    readonly nodes: readonly UnsupportedNode[],
  ) {
    const lines = nodes
      .slice(0, MAX_LISTED)
      .map(({ operator, node, reason }) => `  ${operator} (${node})${reason ? `: ${reason}` : ''}`);
    if (nodes.length > MAX_LISTED) lines.push(`  … and ${nodes.length - MAX_LISTED} more`);
    if (nodes.some(({ operator }) => QUANTIZED.test(operator.replace(/^.*\./, '')))) {
      lines.push('  expected a model in floating point, received one that is quantized already');
    }
    super(`${source}: ${nodes.length} unsupported ${nodes.length === 1 ? 'node' : 'nodes'}\n${lines.join('\n')}`);
    this.name = 'UnsupportedOperatorsError';
  }
}
