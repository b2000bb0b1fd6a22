// The error of a refused argument, thrown by TypeScript and by native code.

/** An argument that an operation cannot take. `message` is `operation: argument: expected …, received …`. */
export class InvalidArgumentError extends TypeError {
  readonly code = 'ERR_FAULTLINE_INVALID_ARGUMENT';

  constructor(
    readonly operation: string,
    readonly argument: string,
    readonly expected: string,
    readonly received: string,
  ) {
    super(`${operation}: ${argument}: expected ${expected}, received ${received}`);
    this.name = 'InvalidArgumentError';
  }
}

/** A short description of any value, for the `received` of an error. */
export function describe(value: unknown): string {
  if (value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean') {
    return String(value);
  }
  if (ArrayBuffer.isView(value)) {
    const realm = value instanceof Object ? '' : ' of another realm';
    return `${value.constructor.name}(${(value as Float32Array).length})${realm}`;
  }
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value !== 'object') return typeof value;
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' ? name : 'object';
}

/** Throws unless `value` is an integer in [min, max]. */
export function requireInteger(
  operation: string,
  argument: string,
  value: unknown,
  min: number,
  max: number,
): asserts value is number {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw new InvalidArgumentError(operation, argument, `an integer from ${min} to ${max}`, describe(value));
  }
}
