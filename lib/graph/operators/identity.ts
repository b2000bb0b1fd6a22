// Identity: y = x, of any type.
import { defineOperator, none, required } from '../operator.js';

export const identity = defineOperator({
  name: 'Identity',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('fuses', 'fusion', 'product'),
  shape: (call) => [required(call.inputs, 0)],
  float: (call) => call.tape.alias(required(call.inputs, 0), call.dims, required(call.inputs, 0).layout),
  forward: (call) => [required(call.inputs, 0)],
});
