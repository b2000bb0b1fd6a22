// What `reproduce`, `pair` and `attack` have in common: options of a run, their settings, and the run itself.
import { ARCHITECTURE_NAMES } from '../models/index.js';
import { reproduceIn } from '../reproduce/reproduce.js';
import { DEFAULTS, type ReproduceSettings } from '../reproduce/settings.js';
import type { Context, Outcome } from './command.js';
import { choice, text, type Values, wholeNumber } from './option.js';

export const RUN_OPTIONS = {
  data: text('<name or path>', 'as for train', { default: DEFAULTS.data }),
  dataDir: text('<folder or URL>', 'where the files of a named data set are', { decides: false }),
  arch: choice('<name>', ARCHITECTURE_NAMES.join(', '), ARCHITECTURE_NAMES, { default: DEFAULTS.arch }),
};

/** Of a run with one seed, from a teacher that may be there already. */
export const TAUGHT_OPTIONS = {
  ...RUN_OPTIONS,
  teacher: text('<model.onnx>', 'your network in place of a trained one'),
  seed: wholeNumber('<n>', 'of everything that is drawn', 0, { default: 0 }),
};

/** Only the stages that other options name. */
export function taughtSettings({ data, arch, teacher, seed }: Values<typeof TAUGHT_OPTIONS>) {
  return {
    ...{ data, arch, seeds: [seed], pairs: [], attacks: [], gauge: false, search: false, stress: undefined },
    ...(teacher === undefined ? {} : { teacherModel: teacher }),
  } satisfies Partial<ReproduceSettings>;
}

/** Runs it in the folder of the command, which then gets the report. */
export async function runReproduction(
  { options: { dataDir }, typed, signal, progress, openRun }: Context<unknown, Values<typeof RUN_OPTIONS>>,
  settings: Partial<ReproduceSettings>,
): Promise<Outcome> {
  let current = '';
  const result = await reproduceIn(openRun, {
    ...{ command: typed, settings, dataDir, signal },
    onProgress: (stage, share) => {
      progress.show(stage !== current, () => `${stage} ${Math.round(100 * share)} %`);
      current = stage;
    },
  });
  return { result };
}
