// Zip archives (APPNOTE 6.3, zip64 included), as numpy writes .npz: members are read one by one, from their file.
import { requireWithin } from '../core/limits.js';
import { crc32 } from './crc32.js';
import { DataError } from './errors.js';
import { inflate, type OpenFile, readAt } from './files.js';

interface Member {
  readonly name: string;
  readonly method: number;
  readonly encrypted: boolean;
  readonly crc: number;
  /** Bytes in the file. */
  readonly packed: number;
  /** Bytes of the contents. */
  readonly size: number;
  /** Where its local header begins. */
  readonly offset: number;
}

const END = 0x06054b50;
const END_BYTES = 22;
const MOST_COMMENT = 0xffff;
const END64 = 0x06064b50;
const END64_BYTES = 56;
const LOCATOR64 = 0x07064b50;
const LOCATOR64_BYTES = 20;
const ENTRY = 0x02014b50;
const ENTRY_BYTES = 46;
const LOCAL = 0x04034b50;
const LOCAL_BYTES = 30;
const EXTRA64 = 1;
/** A field that is in the zip64 extra. */
const ELSEWHERE = 0xffffffff;
const STORED = 0;
const DEFLATED = 8;

const damaged = (path: string, received: string) => new DataError(path, 'a whole zip file', received);

/** A part of the file. */
function part(file: OpenFile, offset: number, length: number): DataView {
  if (!(offset >= 0 && length >= 0 && offset + length <= file.length)) {
    throw damaged(file.path, 'one whose parts lie beyond its end');
  }
  const bytes = new Uint8Array(length);
  readAt(file, bytes, offset);
  return new DataView(bytes.buffer);
}

const long = (view: DataView, at: number) => Number(view.getBigUint64(at, true));

/** Where the directory of members is. */
function directoryOf(file: OpenFile): { readonly offset: number; readonly length: number; readonly count: number } {
  const length = Math.min(file.length, END_BYTES + MOST_COMMENT);
  const start = file.length - length;
  const tail = part(file, start, length);
  let at = length - END_BYTES;
  while (at >= 0 && !(tail.getUint32(at, true) === END && tail.getUint16(at + 20, true) === length - at - END_BYTES))
    at--;
  if (at < 0) throw damaged(file.path, 'one without a directory: truncated, or no zip file');
  const locator = at - LOCATOR64_BYTES;
  if (locator >= 0 && tail.getUint32(locator, true) === LOCATOR64) {
    const end = part(file, long(tail, locator + 8), END64_BYTES);
    if (end.getUint32(0, true) !== END64) throw damaged(file.path, 'one whose directory is damaged');
    return { count: long(end, 32), length: long(end, 40), offset: long(end, 48) };
  }
  return {
    count: tail.getUint16(at + 10, true),
    length: tail.getUint32(at + 12, true),
    offset: tail.getUint32(at + 16, true),
  };
}

/** Sizes and offset, from the zip64 extra where the entry has no room for them. */
function wide(view: DataView, at: number, end: number, fields: number[]): number[] {
  const result = [...fields];
  for (let extra = at; extra + 4 <= end; extra += 4 + view.getUint16(extra + 2, true)) {
    if (view.getUint16(extra, true) !== EXTRA64) continue;
    let from = extra + 4;
    const last = Math.min(end, from + view.getUint16(extra + 2, true));
    for (const [i, field] of fields.entries()) {
      if (field !== ELSEWHERE || from + 8 > last) continue;
      result[i] = long(view, from);
      from += 8;
    }
  }
  return result;
}

/** Members by name. Throws DataError where the directory is damaged or has a name twice. */
export function zipMembers(file: OpenFile): Map<string, Member> {
  const { offset, length, count } = directoryOf(file);
  const view = part(file, offset, length);
  const members = new Map<string, Member>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + ENTRY_BYTES > length || view.getUint32(at, true) !== ENTRY) {
      throw damaged(file.path, 'one whose directory is damaged');
    }
    const [flags, method, crc] = [
      view.getUint16(at + 8, true),
      view.getUint16(at + 10, true),
      view.getUint32(at + 16, true),
    ];
    const nameEnd = at + ENTRY_BYTES + view.getUint16(at + 28, true);
    const extraEnd = nameEnd + view.getUint16(at + 30, true);
    const next = extraEnd + view.getUint16(at + 32, true);
    if (next > length) throw damaged(file.path, 'one whose directory is damaged');
    const name = new TextDecoder().decode(new Uint8Array(view.buffer, at + ENTRY_BYTES, nameEnd - at - ENTRY_BYTES));
    const fields = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const [size = 0, packed = 0, local = 0] = wide(view, nameEnd, extraEnd, fields);
    if (members.has(name)) throw damaged(file.path, `one with two members called ${JSON.stringify(name)}`);
    members.set(name, { name, method, encrypted: (flags & 1) !== 0, crc, packed, size, offset: local });
    at = next;
  }
  return members;
}

/** The contents of a member, its CRC compared. Throws DataError, or LimitError before anything is inflated. */
export async function readMember(file: OpenFile, member: Member): Promise<Uint8Array> {
  const { name, method, encrypted, crc, packed, size, offset } = member;
  const source = `${file.path}:${name}`;
  if (encrypted) throw new DataError(source, 'a member without a password', 'an encrypted one');
  if (method !== STORED && method !== DEFLATED) {
    throw new DataError(source, 'a member stored or deflated', `compression method ${method}`);
  }
  requireWithin('inflatedBytes', source, size);
  const local = part(file, offset, LOCAL_BYTES);
  if (local.getUint32(0, true) !== LOCAL)
    throw damaged(file.path, `one whose member ${name} is not where it should be`);
  const start = offset + LOCAL_BYTES + local.getUint16(26, true) + local.getUint16(28, true);
  const stored = new Uint8Array(part(file, start, packed).buffer);
  const bytes = method === STORED ? stored : await inflate(source, stored, 'deflate', () => size);
  if (bytes.length !== size) throw new DataError(source, `${size} bytes`, String(bytes.length));
  if (crc32(bytes) !== crc) throw new DataError(source, 'contents of their CRC', 'damaged ones');
  return bytes;
}
