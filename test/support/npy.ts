// Arrays as numpy writes them, for tests that need data files.

/** Version 1.0 of numpy's format. `type`: `|u1`, `<f4`, … */
export function npy(type: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${shape.join(', ')},), }`;
  const header = `${text.padEnd(117)}\n`;
  return Uint8Array.from(Buffer.concat([Buffer.from('\x93NUMPY\x01\x00v\x00', 'latin1'), Buffer.from(header), bytes]));
}
