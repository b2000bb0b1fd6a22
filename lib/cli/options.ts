// Shapes of inputs from the command line, checked.
import { InvalidArgumentError } from '../core/errors.js';
import type { InputShapes } from '../graph/pin_inputs.js';
import { option } from './option.js';

/** Reads `--input x=N,3,48,320`, one input each time: numbers, or names for what stays open. */
export function inputShape(text: string, before: InputShapes = {}): InputShapes {
  const [, name, list] = /^(.+)=([^=]+)$/.exec(text) ?? [];
  const dims = list?.split(',').map((dim) => (/^\d+$/.test(dim) ? Number(dim) : dim));
  const good = dims?.every((dim) => (typeof dim === 'number' ? Number.isSafeInteger(dim) : /^[A-Za-z_]\w*$/.test(dim)));
  if (!name || !dims || !good) {
    throw new InvalidArgumentError('faultline', '--input', 'name=dims, such as x=N,3,48,320', text);
  }
  return { ...before, [name]: dims };
}

/** Shapes of inputs that a file leaves open. */
export const INPUT_OPTIONS = {
  input: option<InputShapes>(
    '<name=dims>',
    'shape of an input that the file leaves open: x=N,3,48,320 (again for each input)',
    (one, _, before) => inputShape(one, before),
  ),
};
