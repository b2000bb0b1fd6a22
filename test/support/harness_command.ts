// A command in a separate process, for tests of the harness: three stages, the second of which waits for a file.
//   node harness_command.js FOLDER [ignore]   `ignore`: does not look at its signal
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { defineCommand } from '../../lib/cli/command.js';
import { runCommand } from '../../lib/cli/harness.js';
import { flag, wholeNumber } from '../../lib/cli/option.js';

const [folder = '.', ...flags] = process.argv.slice(2);

const command = defineCommand({
  name: 'test',
  options: {
    ignore: flag('does not look at its signal'),
    patience: wholeNumber('<n>', 'decides nothing', 1, { default: 1, decides: false }),
  },
  out: 'required',
  examples: ['faultline test --out a', 'faultline test --out b'],
  async run({ options: { ignore }, signal, progress, stage, openRun }) {
    const first = await stage('first', async () => ({ at: performance.timeOrigin }));
    await stage('second', async ({ write }) => {
      process.stdout.write('waiting\n');
      while (!existsSync(join(folder, 'go'))) {
        if (!ignore) signal.throwIfAborted();
        await setTimeout(10);
      }
      await write('second.txt', 'done');
      return {};
    });
    progress.counts('stages')(2, 2);
    await (await openRun()).write('first.json', JSON.stringify(first));
    return undefined;
  },
});

process.exitCode = await runCommand(command, ['--out', join(folder, 'run'), ...flags]);
