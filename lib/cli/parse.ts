// A command line, read by commander as a definition says.
import { Command, Option } from 'commander';
import { WIDTH, wrapText } from '../report/text.js';
import type { CommandDefinition, OutFolder } from './command.js';
import { flag, flagOf, type OptionSpec, type Specs, text } from './option.js';
import { print, say } from './output.js';

/** A command line as `run` gets it, and what the harness makes of it. */
export interface CommandLine {
  readonly arguments: Readonly<Record<string, unknown>>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly common: CommonValues;
}

/** Options that the harness handles itself. */
interface CommonValues {
  readonly out?: string | undefined;
  readonly fresh?: true | undefined;
  readonly json?: true | undefined;
  readonly quiet?: true | undefined;
}

function folderOptions(out: OutFolder): Specs<OptionSpec> {
  if (out === 'none') return {};
  const what = 'results go here: report.json, report.html, report.md, tables/*.csv; the same command resumes it';
  const byDefault = out === 'named' ? '; default: runs/…' : '';
  return {
    out: text('<folder>', what + byDefault, {
      ...(out === 'required' ? { required: true } : {}),
      ...(typeof out === 'object' ? { default: out.default } : {}),
    }),
    fresh: flag('restart the run in --out'),
  };
}

const OUTPUT = {
  json: flag('the result as JSON on stdout'),
  quiet: flag('no progress on stderr'),
} satisfies Specs<OptionSpec>;

function commanderOption(key: string, spec: OptionSpec): Option {
  const name = flagOf(key, spec);
  const flags = [spec.letter === undefined ? '' : `-${spec.letter}, `, name, spec.value ? ` ${spec.value}` : ''].join(
    '',
  );
  const option = new Option(flags, spec.help);
  const { parse } = spec;
  // Before the first use the value is the default, which repetition does not add to.
  if (parse) option.argParser((one, before) => parse(one, name, before === spec.default ? undefined : before));
  if (spec.default !== undefined) option.default(spec.default, defaultText(spec.default));
  return option;
}

/** Adds options to a commander. */
function addOptions(command: Command, options: Specs<OptionSpec>): Command {
  for (const [key, spec] of Object.entries(options)) {
    const option = commanderOption(key, spec);
    if (spec.required) option.makeOptionMandatory();
    command.addOption(option);
  }
  return command;
}

const defaultText = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value));

/** The commander of a definition, which has read nothing yet. */
export function commanderOf(definition: CommandDefinition, summary = ''): Command {
  const { name, out = 'none', examples, details = [] } = definition;
  const command = new Command(`faultline ${name}`).description(summary).exitOverride();
  command.configureOutput({ writeOut: print, writeErr: (text) => say(text.trimEnd()) });
  for (const { value, help } of Object.values(definition.arguments ?? {})) command.argument(value, help);
  addOptions(command, { ...definition.options, ...folderOptions(out), ...OUTPUT });
  const paragraphs = details.map((paragraph) => `${wrapText(paragraph).join('\n')}\n\n`).join('');
  const lines = examples.map((example) => wrapText(example, '    ', WIDTH - 4).map((line) => `  ${line}`));
  // A continued line ends in a backslash, so that it can be copied.
  const shown = lines.map((parts) => parts.join(' \\\n')).join('\n');
  return command.addHelpText('after', `\n${paragraphs}Examples:\n${shown}`).configureHelp({ helpWidth: WIDTH });
}

/**
 * Throws CommanderError on what is unknown or missing, after commander has written why; InvalidArgumentError on values.
 */
export function parseCommandLine(definition: CommandDefinition, argv: readonly string[], summary = ''): CommandLine {
  const command = commanderOf(definition, summary);
  command.action(() => {});
  command.parse([...argv], { from: 'user' });
  const all: Record<string, unknown> = command.opts();
  const names = Object.keys(definition.arguments ?? {});
  const { out, fresh, json, quiet } = all as CommonValues;
  return {
    arguments: Object.fromEntries(names.map((name, at) => [name, command.processedArgs[at]])),
    options: Object.fromEntries(Object.keys(definition.options).map((key) => [key, all[key]])),
    common: { out: definition.out === undefined || definition.out === 'none' ? undefined : out, fresh, json, quiet },
  };
}
