// The program: finds the requested command, loads it and runs it.
import { readFileSync } from 'node:fs';
import { findCommand } from './commands.js';
import { exitCodesOf } from './exit_codes.js';
import { overview } from './help.js';
import { complain, print, say } from './output.js';

const ARGV = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
/** Exit codes of what no command answers for. */
const { failed: FAILED, refused: REFUSED } = exitCodesOf(ARGV[0]);

// A reader that has seen enough (`| head`) stops nothing and changes no exit code; a full disk does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') return;
  complain(error);
  process.exitCode = FAILED;
});
process.stderr.on('error', () => {});
// Node would exit with 1, which is one of the verdicts.
process.removeAllListeners('uncaughtException');
process.on('uncaughtException', (error) => {
  say(error.stack ?? String(error));
  process.exit(FAILED);
});

function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'));
  return `${version}\n`;
}

async function main(argv: readonly string[]): Promise<number> {
  const [first = '--help'] = argv;
  // `faultline help scan` is `faultline scan --help`.
  if (first === 'help' && argv.length > 1) return main([...argv.slice(1), '--help']);
  if (['--help', '-h', 'help'].includes(first)) {
    print(overview());
    return 0;
  }
  if (['--version', '-V'].includes(first)) {
    print(packageVersion());
    return 0;
  }
  const command = findCommand(argv);
  if (!command) {
    complain(`expected a command, received "${first}"`);
    say(`\n${overview().trimEnd()}`);
    return REFUSED;
  }
  const { found, rest } = command;
  const [{ runCommand }, loaded] = await Promise.all([import('./harness.js'), found.load()]);
  return runCommand(loaded.command, rest, found.summary);
}

process.exitCode = await main(ARGV).catch((error) => {
  complain(error);
  return FAILED;
});
