// Identity: y = x, of any type.
import { defineOperator, none, required } from '../operator.js';
import { homogeneous } from './channels.js';

export const Identity = defineOperator({
  name: 'Identity',
  readout: 'same',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  samples: 'alone',
  channels: homogeneous,
  shape: (call) => [required(call.inputs, 0)],
  float: (call) => call.tape.alias(required(call.inputs, 0), call.dims, required(call.inputs, 0).layout),
  forward: (call) => [required(call.inputs, 0)],
});
