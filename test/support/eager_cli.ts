// The command line with everything kept at once, so that stages of small networks, which are short, are stopped inside.
//   FAULTLINE_END='SIGKILL 17'   a signal as the 17th file is opened or renamed
//   FAULTLINE_COUNT=FILE         how many there were

import { writeFileSync } from 'node:fs';
import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

const [signal, at] = (process.env.FAULTLINE_END ?? 'SIGKILL Infinity').split(' ');
let count = 0;
function counted<Args extends unknown[], Result>(call: (...args: Args) => Result): (...args: Args) => Result {
  return (...args) => {
    count += 1;
    if (count === Number(at)) process.kill(process.pid, signal);
    return call(...args);
  };
}
Object.assign(files, { open: counted(files.open), rename: counted(files.rename) });
syncBuiltinESMExports();
const { FAULTLINE_COUNT: counts } = process.env;
if (counts !== undefined) process.on('exit', () => writeFileSync(counts, String(count)));

const { keeping } = await import('../../lib/run/parts.js');
Object.assign(keeping, { everyMs: 0, share: Number.POSITIVE_INFINITY });
await import('../../lib/cli/main.js');
