// `faultline bench kernels`: how fast the kernels are, beside other libraries and the machine's ceilings.
import { join } from 'node:path';
import { type BenchProgress, benchKernels } from '../bench/kernels.js';
import { selectJobs } from '../bench/shapes.js';
import { benchTargets } from '../bench/targets.js';
import { packageRoot } from '../core/package_root.js';
import { defineCommand } from './command.js';
import { collected, counts, flag, refuse, text } from './option.js';

const MOST_THREADS = 1024;

export const command = defineCommand({
  name: 'bench kernels',
  options: {
    threads: counts('thread counts to measure with', MOST_THREADS, [1]),
    filter: collected('<regexp>', 'only where "op shape sets" matches; may be repeated'),
    shapes: collected('<set or file>', 'a set of bench/shapes, or a file; may be repeated'),
    quick: flag('a few shapes, few rounds: under 20 seconds'),
    targets: flag('measure what the project aims at, and judge it'),
    isa: text('<name>', 'hold faultline and oneDNN to an instruction set'),
  },
  out: 'optional',
  examples: ['faultline bench kernels --quick', 'faultline bench kernels --filter matmul.*1024 --out runs/kernels'],
  async run({ options, signal, progress, typed, stage }) {
    const { threads, filter: filters, shapes, quick = false, targets, isa } = options;
    const folder = join(packageRoot(), 'bench', 'shapes');
    const common = {
      ...{ quick, command: typed, signal },
      onProgress: ({ done, total, next }: BenchProgress) => {
        if (next) progress.show(true, () => `[${done + 1}/${total}] ${next.op} ${next.shape}`);
      },
    };
    if (targets && (shapes.length > 0 || isa !== undefined)) {
      refuse('--targets', 'the shapes and instruction sets the targets name', isa === undefined ? '--shapes' : '--isa');
    }
    // A quick run without further options measures the quick set; any option applies to all shapes.
    const quickSet = quick && shapes.length === 0 && filters.length === 0;
    const files = targets ? ['peers'] : quickSet ? ['quick'] : shapes;
    const jobs = selectJobs(folder, { files, filters });
    const result = await stage('kernels', () =>
      targets ? benchTargets(jobs, common) : benchKernels({ ...common, jobs, threads, isa }),
    );
    return { result, exitCode: result.failures.some(({ impl }) => impl === 'faultline') ? 1 : 0 };
  },
});
