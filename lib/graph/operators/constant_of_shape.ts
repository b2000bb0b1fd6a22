// ConstantOfShape: one value everywhere, of the shape in its input; float32 zeros without `value`.

import { sizeOf } from '../../core/shape.js';
import { allocate } from '../../tensor/dtype.js';
import { floats, type HostTensor } from '../../tensor/host_tensor.js';
import { unknownDims } from '../dims.js';
import { defineOperator, integersOf, lengthOf, none, required, tensor, unknown } from '../operator.js';

export const ConstantOfShape = defineOperator({
  name: 'ConstantOfShape',
  attributes: { value: tensor() },
  inputs: [1, 1],
  outputs: [1, 1],
  ...none('product', 'macs', 'fuses', 'fusion', 'float', 'device'),
  ...none('settings', 'statistics', 'fromTypes', 'openShape', 'unfoldable', 'upgrades', 'detail'),
  ...unknown('channels', 'samples'),
  shape: (call) => {
    const { value } = call.attributes;
    if (value && sizeOf(value.dims) !== 1) call.fail(`expected a value of one element, received ${value.data.length}`);
    const dtype = value?.dtype ?? 'float32';
    const constant = call.constant(0);
    if (constant) {
      const dims = integersOf(constant, 'a shape', call.fail);
      if (dims.some((size) => size < 0)) call.fail(`expected sizes of at least 0, received [${dims}]`);
      return [{ dtype, dims }];
    }
    return [{ dtype, dims: unknownDims(lengthOf(call, 0, 'shape')) }];
  },
  forward: (call) => {
    const { dims } = required(call.outputs, 0);
    const { dtype, data } = call.attributes.value ?? floats([], [0]);
    return [
      { dtype, dims, data: (allocate(dtype, sizeOf(dims)) as Float32Array).fill(data[0] as number) } as HostTensor,
    ];
  },
});
