// `faultline diff`: what changed between two results of one command, beyond its interval; exit code 1 where worse.
import { diffResults } from '../report/diff.js';
import { readResult } from '../report/read.js';
import { defineCommand } from './command.js';
import { argument } from './option.js';

const WORSE = 1;

export const command = defineCommand({
  name: 'diff',
  arguments: {
    before: argument('before', 'what --json printed, or the folder of a run'),
    after: argument('after', 'the same of another run of that command'),
  },
  options: {},
  examples: ['faultline diff runs/before runs/after', 'faultline diff runs/before/report.json runs/after --json'],
  details: [
    'Compared are all figures of all tables. One with an interval has changed where the two intervals have no value in ' +
      'common. The exit code is 1 where a figure got worse, 0 otherwise, 2 where the two cannot be compared.',
  ],
  async run({ arguments: { before, after } }) {
    const [one, two] = [await readResult(before), await readResult(after)];
    const result = diffResults({ ...one, path: before }, { ...two, path: after });
    const worse = result.changes.some(({ judgement }) => judgement === 'worse');
    return { result, exitCode: worse ? WORSE : 0 };
  },
});
