// `faultline study`: how good the indicators of `faultline scan` are, over networks with measured drops.
import { loadDataset } from '../data/load.js';
import { formatScheme, parseScheme } from '../format/scheme.js';
import { ARCHITECTURE_NAMES, type ArchitectureName } from '../models/index.js';
import { readPopulation, study } from '../reproduce/study.js';
import { toJson } from '../run/files.js';
import { defineCommand } from './command.js';
import { chosen, list, option, optionalArgument, text, wholeNumber } from './option.js';

const bitsOf = (one: string, name: string) => formatScheme(parseScheme(one, 'faultline', name));

export const command = defineCommand({
  name: 'study',
  arguments: {
    population: optionalArgument(
      'population.json',
      'networks with teacher, arch and kind, faultline.population/1; default: made here',
    ),
  },
  options: {
    data: text('<name or path>', 'labelled test images', { required: true }),
    dataDir: text('<folder or URL>', 'where the files of a named data set are'),
    bits: option<string, { default: string }>('<bits>', 'what the drop is measured under: W2A2 … W8A8', bitsOf, {
      default: 'W4A4',
    }),
    images: wholeNumber('<n>', 'unlabelled, for the indicators', 1, { default: 256 }),
    judged: wholeNumber('<n>', 'other images, for the drop', 1, { default: 2000 }),
    archs: list<ArchitectureName, { default: readonly ArchitectureName[] }>('<list>', 'of networks made here', {
      default: ['mlp', 'convnet2', 'resnet8'],
      each: (one, name) => chosen(name, ARCHITECTURE_NAMES, one),
    }),
    teachers: wholeNumber('<n>', 'of each architecture; eight networks are made of each', 1, { default: 3 }),
    trainImages: wholeNumber('<n>', 'that they learn from', 128, { default: 20000 }),
    draws: wholeNumber('<n>', 'of each kind of noise', 1, { default: 4 }),
    seed: wholeNumber('<n>', 'of everything drawn', 0, { default: 0 }),
    only: text('<policy>', 'study what was measured under this policy'),
  },
  out: 'required',
  examples: [
    'faultline study --data fashion-mnist --archs mlp,convnet2 --teachers 2 --out runs/study',
    'faultline study population.json --data fashion-mnist --bits W8A8 --out runs/study',
  ],
  async run({ arguments: { population }, options, signal, progress, openRun }) {
    const { data, dataDir, bits, images, judged, draws, seed, archs, teachers, trainImages, only } = options;
    const members = population === undefined ? undefined : await readPopulation(population);
    const dataset = await loadDataset(data, dataDir === undefined ? {} : { from: dataDir });
    const settings = { data, bits, images, judged, draws, seed };
    // A population may grow, and a study of a part is resumed in the folder of all.
    const run = await openRun(members ? settings : { ...settings, archs, teachers, trainImages });
    const result = await study(dataset, {
      ...{ ...settings, run, members, archs, teachers, trainImages, only, signal },
      onProgress: progress.stage,
    });
    await run.write('predictor.json', toJson(result.predictor));
    return { result, files: [run.file('predictor.json')] };
  },
});
