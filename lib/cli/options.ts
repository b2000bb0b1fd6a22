// Numbers and shapes from the command line, checked.
import { mkdir } from 'node:fs/promises';
import { InvalidArgumentError } from '../core/errors.js';
import type { InputShapes } from '../graph/pin_inputs.js';
import { option } from './option.js';

export function integerOption(name: string, least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError('faultline', name, `an integer of at least ${least}`, text);
    }
    return value;
  };
}

export function numberOption(name: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value) || value <= 0) {
      throw new InvalidArgumentError('faultline', name, 'a number above 0', text);
    }
    return value;
  };
}

/** Makes the folder of --out before any work: what cannot be written should not take minutes to say so. */
export async function outFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true }).catch((error: NodeJS.ErrnoException) => {
    throw new InvalidArgumentError('faultline', '--out', 'a folder', `${path}: ${error.code}`);
  });
}

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
