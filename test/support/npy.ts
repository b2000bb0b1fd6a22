// Arrays as numpy writes them, for tests that need data files.

interface NpyForm {
  /** Format version. Default 1. */
  readonly version?: 1 | 2 | 3;
  /** Column-major. Default false. */
  readonly fortran?: boolean;
}

/** A .npy file around a header's text. */
export function npyAround(header: string, bytes: Uint8Array, version = 1): Uint8Array {
  const prefix = version === 1 ? 10 : 12;
  const text = `${header.padEnd(Math.ceil((prefix + header.length + 1) / 64) * 64 - prefix - 1)}\n`;
  const size = Buffer.alloc(prefix - 8);
  size.writeUIntLE(text.length, 0, prefix - 8);
  const magic = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\x00`, 'latin1');
  return Uint8Array.from(Buffer.concat([magic, size, Buffer.from(text, 'latin1'), bytes]));
}

/** An array as numpy.save writes it. `type`: `|u1`, `<f4`, … */
export function npy(type: string, shape: readonly number[], data: ArrayBufferView, form: NpyForm = {}): Uint8Array {
  const { version = 1, fortran = false } = form;
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const order = fortran ? 'True' : 'False';
  const header = `{'descr': '${type}', 'fortran_order': ${order}, 'shape': (${tuple}), }`;
  return npyAround(header, new Uint8Array(data.buffer, data.byteOffset, data.byteLength), version);
}
