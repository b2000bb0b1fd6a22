// Numbers from the command line, checked.
import { InvalidArgumentError } from '../native/errors.js';

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
