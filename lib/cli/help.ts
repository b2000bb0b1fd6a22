// `faultline --help`: every command on one screen of 80 × 24, from the table alone.
import { COMMANDS, GROUPS } from './commands.js';

const GROUP_WIDTH = 11;
const NAME_WIDTH = 15;

/** Commands by purpose, the group before its first one. */
export function overview(): string {
  const lines = GROUPS.flatMap((group) =>
    COMMANDS.filter((command) => command.group === group).map(({ name, summary }, at) =>
      [(at === 0 ? group : '').padEnd(GROUP_WIDTH), name.padEnd(NAME_WIDTH), summary].join(''),
    ),
  );
  return [
    'faultline: how badly can a neural network fail when it is quantized?',
    ...lines,
    'faultline COMMAND --help: its options and two examples; faultline --version',
    'Exit codes: 0 done, 1 failed, 2 refused, 130 interrupted; assess: 0 safe,',
    '1 caution, 2 unsafe, 3 failed, 4 refused; diff: 1 where something got worse.',
    '',
  ].join('\n');
}
