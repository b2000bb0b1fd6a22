// Size: how many elements its input has, int64. It follows from the input's type.
import { sizeOf } from '../../core/shape.js';
import { integers } from '../../tensor/host_tensor.js';
import { knownSize } from '../dims.js';
import { defineOperator, none, required, unknown } from '../operator.js';

export const Size = defineOperator({
  name: 'Size',
  attributes: {},
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: () => [{ dtype: 'int64', dims: [] }],
  fromTypes: (_attributes, inputs) => {
    const count = knownSize(required(inputs, 0).dims);
    return count === undefined ? undefined : integers([count], []);
  },
  forward: (call) => [integers([sizeOf(required(call.inputs, 0).dims)], [])],
});
