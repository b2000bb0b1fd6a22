// Options and arguments as data: a key is a name, a spec says how its text is read.
import { existsSync, statSync } from 'node:fs';
import { InvalidArgumentError } from '../core/errors.js';

export interface OptionSpec<Value = unknown> {
  /** `<n>`; absent for a flag. */
  readonly value?: string | undefined;
  readonly help: string;
  /** `option`: `--draws`, for the message; `before`: the value so far, where an option may be repeated. */
  readonly parse?: ((text: string, option: string, before: unknown) => Value) | undefined;
  readonly default?: Value | undefined;
  readonly required?: boolean | undefined;
  /** One letter: `-r`. */
  readonly letter?: string | undefined;
  /** Set by `--no-<name>`; the default is true. */
  readonly negated?: boolean | undefined;
  /** false: has no influence on what is computed, so a run may resume with another value. Default true. */
  readonly decides?: boolean | undefined;
}

export interface ArgumentSpec<Value = unknown> {
  /** `<model.onnx>`, or `[model.onnx]` where it may be left out. */
  readonly value: string;
  readonly help: string;
  /** Never set: the type of the value. */
  readonly type?: Value | undefined;
}

export type Specs<Spec> = Readonly<Record<string, Spec>>;

/** The values of options or arguments, by their keys. */
export type Values<All> = {
  readonly [Key in keyof All]: All[Key] extends ArgumentSpec<infer Value>
    ? Value
    : All[Key] extends OptionSpec<infer Value>
      ? Value
      : never;
};

/** dataDir → --data-dir */
export function flagOf(key: string, { negated }: Pick<OptionSpec, 'negated'> = {}): string {
  return `--${negated ? 'no-' : ''}${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Refuses the text of an option. */
export function refuse(option: string, expected: string, received: string): never {
  throw new InvalidArgumentError('faultline', option, expected, received);
}

interface Extra<Value> {
  readonly default?: Value;
  readonly required?: true;
  readonly letter?: string;
  readonly decides?: false;
}

/** What a spec's value is: there is one where it is required or has a default. */
type Present<Value, Extras> = Extras extends { required: true } | { default: Value } ? Value : Value | undefined;

/** Any spec whose text is read by `parse`. */
export function option<Value, const Extras extends Extra<Value> = Record<never, never>>(
  value: string,
  help: string,
  parse: (text: string, option: string, before: Value | undefined) => Value,
  extra?: Extras,
): OptionSpec<Present<Value, Extras>> {
  return { value, help, parse, ...extra } as unknown as OptionSpec<Present<Value, Extras>>;
}

/** A file to read: one that is not there is refused when it is read. */
export function argument(name: string, help = ''): ArgumentSpec<string> {
  return { value: `<${name}>`, help };
}

export function optionalArgument(name: string, help = ''): ArgumentSpec<string | undefined> {
  return { value: `[${name}]`, help };
}

/** An option without a value. */
export function flag(help: string): OptionSpec<true | undefined> {
  return { help };
}

/** `--no-<name>`: true without it. */
export function unless(help: string): OptionSpec<boolean> {
  return { help, negated: true };
}

export function text<const Extras extends Extra<string> = Record<never, never>>(
  value: string,
  help: string,
  extra?: Extras,
): OptionSpec<Present<string, Extras>> {
  return option<string, Extras>(value, help, (one) => one, extra);
}

export function wholeNumber<const Extras extends Extra<number> = Record<never, never>>(
  value: string,
  help: string,
  least: number,
  extra?: Extras,
): OptionSpec<Present<number, Extras>> {
  const parse = (one: string, name: string) => {
    const parsed = Number(one);
    if (one.trim() !== '' && Number.isSafeInteger(parsed) && parsed >= least) return parsed;
    return refuse(name, `an integer of at least ${least}`, one);
  };
  return option<number, Extras>(value, help, parse, extra);
}

export function positive<const Extras extends Extra<number> = Record<never, never>>(
  value: string,
  help: string,
  extra?: Extras,
): OptionSpec<Present<number, Extras>> {
  const parse = (one: string, name: string) => {
    const parsed = Number(one);
    if (one.trim() !== '' && Number.isFinite(parsed) && parsed > 0) return parsed;
    return refuse(name, 'a number above 0', one);
  };
  return option<number, Extras>(value, help, parse, extra);
}

/** One of some names. */
export function choice<const Name extends string, const Extras extends Extra<NoInfer<Name>> = Record<never, never>>(
  value: string,
  help: string,
  names: readonly Name[],
  extra?: Extras,
): OptionSpec<Present<Name, Extras>> {
  const parse = (one: string, name: string) => chosen(name, names, one);
  return option<Name, Extras>(value, help, parse, extra);
}

/** The one of `names` that a text is. Throws InvalidArgumentError. */
export function chosen<Name extends string>(name: string, names: readonly Name[], one: string): Name {
  return names.find((each) => each === one) ?? refuse(name, names.join(' or '), one);
}

/** Parts between commas, each read by `parse`. */
export function list<Item = string, const Extras extends Extra<readonly Item[]> = Record<never, never>>(
  value: string,
  help: string,
  extra?: Extras & { readonly each?: (part: string, option: string) => Item },
): OptionSpec<Present<readonly Item[], Extras>> {
  const { each = (part: string) => part as Item, ...others } = extra ?? {};
  const parse = (one: string, name: string) => one.split(',').map((part) => each(part.trim(), name));
  return option<readonly Item[], Extras>(value, help, parse, others as unknown as Extras);
}

/** Values after the option, and after each repetition of it: `<nodes...>`. */
export function repeated<const Extras extends Extra<readonly string[]> = Record<never, never>>(
  value: string,
  help: string,
  extra?: Extras,
): OptionSpec<Present<readonly string[], Extras>> {
  return { value, help, ...extra } as unknown as OptionSpec<Present<readonly string[], Extras>>;
}

/** Whether a text names a file. */
export function isFile(path: unknown): path is string {
  return typeof path === 'string' && existsSync(path) && statSync(path).isFile();
}

/** The path of a file to write. Writing replaces what is there, which no folder and no device may be. */
export function fileToWrite(path: string, name: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found && !found.isFile()
    ? refuse(name, 'a file, new or to be replaced', `${path}, a folder or a device`)
    : path;
}

/** Numbers from 1 to `most` between commas, each once. */
export function counts(help: string, most: number, byDefault: readonly number[]) {
  const parse = (one: string, name: string): readonly number[] => {
    const numbers = one.split(',').map(Number);
    const good = numbers.every((number) => Number.isInteger(number) && number >= 1 && number <= most);
    return good ? [...new Set(numbers)] : refuse(name, `numbers from 1 to ${most}, separated by commas`, one);
  };
  return option<readonly number[], { default: readonly number[] }>('<n,…>', help, parse, { default: byDefault });
}

/** The values of an option that may be repeated, one each time. */
export function collected(value: string, help: string) {
  const parse = (one: string, _: string, before: readonly string[] = []): readonly string[] => [...before, one];
  return option<readonly string[], { default: readonly string[] }>(value, help, parse, { default: [] });
}
