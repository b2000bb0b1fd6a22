// Limits on what is read and made: one table. They are checked against what a header or a shape says, before anything is
// allocated. Each can be raised by a variable of the environment.

interface Limit {
  /** What is counted, in the plural: `bytes of a file read at once`. */
  readonly what: string;
  readonly usual: number;
}

const LIMITS = {
  fileBytes: { what: 'bytes of a file taken into memory', usual: 2 ** 31 },
  inflatedBytes: { what: 'bytes of a compressed file or of a member of an archive', usual: 2 ** 31 },
  modelBytes: { what: 'bytes of the weights of a model', usual: 2 ** 34 },
  grownElements: { what: 'elements of a value that a node makes of fewer', usual: 2 ** 27 },
  valueBytes: { what: 'bytes of one array', usual: 2 ** 33 },
  picturePixels: { what: 'pixels of a picture', usual: 2 ** 27 },
  classes: { what: 'classes', usual: 2 ** 20 },
} as const satisfies Record<string, Limit>;

type LimitName = keyof typeof LIMITS;

/** fileBytes → FAULTLINE_MAX_FILE_BYTES */
const variableOf = (name: LimitName) =>
  `FAULTLINE_MAX_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;

/** More than a limit allows. `message` is `subject: expected at most … (VARIABLE raises it), received …`. */
export class LimitError extends RangeError {
  readonly code = 'ERR_FAULTLINE_LIMIT';
  /** Of the environment; raises the limit. */
  readonly variable: string;

  constructor(
    readonly subject: string,
    readonly limit: LimitName,
    readonly received: number,
  ) {
    const variable = variableOf(limit);
    super(
      `${subject}: expected at most ${limitOf(limit)} ${LIMITS[limit].what} (${variable} raises it), received ${received}`,
    );
    this.name = 'LimitError';
    this.variable = variable;
  }
}

/** A limit as it stands: the variable's value where that is a positive integer. */
export function limitOf(name: LimitName): number {
  const set = Number(process.env[variableOf(name)]);
  return Number.isSafeInteger(set) && set > 0 ? set : LIMITS[name].usual;
}

/** Throws LimitError where `received` is above the limit; `subject` names the file, node or argument. */
export function requireWithin(limit: LimitName, subject: string, received: number): void {
  if (!(received <= limitOf(limit))) throw new LimitError(subject, limit, received);
}
