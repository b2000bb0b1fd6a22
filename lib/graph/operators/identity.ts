// Identity: y = x, of any type.
import { defineOperator, required } from '../operator.js';

export const identity = defineOperator({
  name: 'Identity',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  shape: (call) => [required(call.inputs, 0)],
  forward: (call) => [required(call.inputs, 0)],
});
