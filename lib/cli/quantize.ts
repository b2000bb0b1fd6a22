// `faultline quantize`: a model under a policy, as an ONNX file that other runtimes run.

import { existsSync } from 'node:fs';
import { realpath } from 'node:fs/promises';
import { formatScheme } from '../format/scheme.js';
import { leftInFloat } from '../graph/left_in_float.js';
import { withPolicyGranularities } from '../policy/policy.js';
import { writeWhole } from '../run/files.js';
import { exportQuantized } from '../runtime/export/quantized.js';
import { defineCommand } from './command.js';
import { MODEL, readGraph } from './model.js';
import { choice, fileToWrite, flag, option, refuse } from './option.js';
import { GRANULARITY_OPTIONS, granularitiesOf, policyOptions, readPolicy } from './policy.js';

export const command = defineCommand({
  name: 'quantize',
  arguments: MODEL,
  options: {
    ...policyOptions('W8A8'),
    ...GRANULARITY_OPTIONS,
    format: choice(
      '<name>',
      'integer: integer operators where there are any; qdq: float32 on codes',
      ['integer', 'qdq'],
      { default: 'integer' },
    ),
    reduceRange: flag('8-bit weights in −64 … 64, for processors without VNNI'),
    out: option<string, { required: true }>('<file>', 'the .onnx file to write', fileToWrite, { required: true }),
  },
  examples: [
    'faultline quantize model.onnx --policy W8A8 --out model.int8.onnx',
    'faultline quantize model.onnx --policy W4A8 --format qdq --out model.int4.onnx',
  ],
  async run({ arguments: { model }, options, progress }) {
    const { format, out, reduceRange } = options;
    const granularities = granularitiesOf(options);
    if (existsSync(out) && (await realpath(out)) === (await realpath(model))) {
      refuse('--out', 'another file than the model', out);
    }
    const graph = await readGraph(model, progress);
    const policy = withPolicyGranularities(await readPolicy(graph, options.policy, options.exclude), granularities);
    const { bytes, nodes } = exportQuantized(graph, policy, { format, reduceRange });
    await writeWhole(out, bytes);
    const weights = [...graph.initializers.values()];
    return {
      result: {
        schema: 'faultline.quantize/1',
        ...{ model, out, format },
        bytes: bytes.length,
        weightBytes: weights.reduce((sum, { data }) => sum + (data as Float32Array).byteLength, 0),
        nodes: nodes.map(({ bits, ...rest }) => ({ ...rest, bits: bits && formatScheme(bits) })),
        leftInFloat: leftInFloat(graph),
      },
    };
  },
});
