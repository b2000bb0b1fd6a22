// What a command says: nothing else in lib/ writes to stdout or stderr, so no text of a file gets there unsafe.
import { getSystemErrorMap } from 'node:util';
import { plain, plainLines } from '../core/text.js';

/** Writes to stdout, as it is but for unsafe characters. */
export function print(text: string): void {
  process.stdout.write(plainLines(text));
}

/** Writes lines to stderr. */
export function say(text: string): void {
  process.stderr.write(`${plainLines(text)}\n`);
}

/** Replaces the line of a terminal on stderr. */
export function overwrite(text: string): void {
  process.stderr.write(`\r\x1b[K${plain(text)}`);
}

/** What a system call needs, by the code of its refusal. */
const NEEDED: Readonly<Record<string, string>> = {
  ENOENT: 'a file or folder that exists',
  EISDIR: 'a file',
  ENOTDIR: 'a path through folders',
  EACCES: 'permission to do so',
  EPERM: 'permission to do so',
  EROFS: 'a file system that can be written to',
  EMFILE: 'fewer open files than the limit of this process (ulimit -n)',
  ENFILE: 'fewer open files than the limit of this machine',
  ENOSPC: 'room on the disk',
  EDQUOT: 'room in the quota of the disk',
  ENOMEM: 'memory',
  ENAMETOOLONG: 'a shorter name',
  ELOOP: 'links that end at a file',
};

/** V8's refusals to allocate, which name nothing. */
const TOO_LARGE =
  /^(Invalid (typed )?array length|Invalid string length|Array buffer allocation failed|.*maximum size exceeded)/;

/** Errors of the language itself: nobody has said what was expected. */
const OF_THE_LANGUAGE: readonly unknown[] = [TypeError, RangeError, ReferenceError, SyntaxError];

/** Lines of a stack that lead to a defect. */
const STACK_LINES = 4;

/** What an error says to a user. `doing`: the command as it was typed, for errors that name nothing. */
export function messageOf(error: unknown, doing = 'faultline'): string {
  if (!(error instanceof Error)) return String(error);
  const { code, syscall, path, dest, errno } = error as NodeJS.ErrnoException & { dest?: string };
  if (code !== undefined && syscall !== undefined) {
    const where = [path, dest].filter((each) => each !== undefined).join(' → ');
    const [, meaning = error.message] = getSystemErrorMap().get(errno ?? 0) ?? [];
    return `${where || doing}: ${syscall}: expected ${NEEDED[code] ?? 'a system call to succeed'}, received ${code} (${meaning})`;
  }
  if (TOO_LARGE.test(error.message)) {
    return `${doing}: expected values that fit into memory, received more (${error.message}): fewer samples or smaller inputs`;
  }
  if (!OF_THE_LANGUAGE.includes(error.constructor) || error.message.includes('expected ')) return error.message;
  const stack = (error.stack ?? '').split('\n').slice(1, 1 + STACK_LINES);
  return [`${doing}: a defect of faultline, please report it: ${error.name}: ${error.message}`, ...stack].join('\n  ');
}

/** Says what went wrong; refusals of options have the program's name already. Lines that are meant are indented. */
export function complain(error: unknown, doing?: string): void {
  const message = messageOf(error, doing)
    .split(/\n(?= {2})/)
    .map(plain)
    .join('\n');
  say(message.startsWith('faultline') ? message : `faultline: ${message}`);
}
