// The command line with everything kept at once, so that stages of small networks, which are short, are stopped inside.
import { keeping } from '../../lib/run/parts.js';

Object.assign(keeping, { everyMs: 0, share: Number.POSITIVE_INFINITY });
await import('../../lib/cli/main.js');
