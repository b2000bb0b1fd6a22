// Constant: a value written into the graph; one of its attributes holds it.
import { floats, type HostTensor, hostTensor, integers } from '../../tensor/host_tensor.js';
import {
  type Attributes,
  defineOperator,
  floatList,
  floatNumber,
  int,
  ints,
  none,
  string,
  strings,
  tensor,
  unknown,
} from '../operator.js';

const ATTRIBUTES = {
  value: tensor(),
  value_float: floatNumber(),
  value_floats: floatList(),
  value_int: int(),
  value_ints: ints(),
  value_string: string(),
  value_strings: strings(),
};

function constantOf(attributes: Attributes<typeof ATTRIBUTES>, fail: (what: string) => never): HostTensor {
  const { value, value_float, value_floats, value_int, value_ints, value_string, value_strings } = attributes;
  const count = Object.values(attributes).filter((attribute) => attribute !== undefined).length;
  if (count !== 1) fail(`expected one of ${Object.keys(ATTRIBUTES).join(', ')}, received ${count}`);
  if (value) return value;
  if (value_float !== undefined) return floats([], [value_float]);
  if (value_floats) return floats([value_floats.length], value_floats);
  if (value_int !== undefined) return integers([value_int], []);
  if (value_ints) return integers(value_ints);
  if (value_string !== undefined) return hostTensor('string', [], [value_string]);
  return hostTensor('string', [value_strings?.length ?? 0], [...(value_strings ?? [])]);
}

export const Constant = defineOperator({
  name: 'Constant',
  attributes: ATTRIBUTES,
  inputs: [0, 0],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => [constantOf(call.attributes, call.fail)],
  forward: (call) => [constantOf(call.attributes, call.fail)],
});
