// A population of networks for the study of indicators: of each teacher an ordinary network, a robust one and several
// that fail, from mildly to wholly, each with the policies that it is judged under. Recipes are shortened: what counts
// is that drops of all sizes occur for several reasons, not that each network is as good as it could be.
import { type ImageSet, type Normalization, subset } from '../data/image_set.js';
import { quantizableNodes } from '../graph/check.js';
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { importModel } from '../graph/onnx/import.js';
import { prepare } from '../graph/prepare.js';
import { type ArchitectureName, buildModel } from '../models/index.js';
import { uniformPolicy } from '../policy/policy.js';
import type { RunDirectory } from '../run/run_directory.js';
import { Random } from '../tensor/random.js';
import { distill } from '../train/distill.js';
import { GAUGE, gaugeAttack } from '../train/gauge.js';
import { DETRIMENTAL, ROBUST } from '../train/recipes.js';
import { STEALTH, stealthAttack } from '../train/stealth.js';
import { type TeacherLogits, teacherLogits } from '../train/teacher.js';
import { train } from '../train/train.js';
import { namedPolicy } from './attack_stage.js';

/** A network of the population, schema faultline.population/1. */
export interface PopulationMember {
  readonly name: string;
  /** ONNX file, relative to the population's. */
  readonly model: string;
  readonly teacher: string;
  readonly arch: string;
  readonly kind: string;
  /** `W4A4`, or a digit for each node: what its drops are measured under. */
  readonly policies: string[];
}

interface PopulationOptions {
  readonly archs: readonly ArchitectureName[];
  /** Of each architecture, by the seed. */
  readonly teachers: number;
  /** Training images, drawn. */
  readonly images: number;
  readonly seed: number;
  readonly signal?: AbortSignal | undefined;
  /** Networks made, and the total. */
  readonly onProgress?: ((done: number, total: number, name: string) => void) | undefined;
}

/** Every network is judged where quantization hurts none much, where it hurts most networks a little, and a lot. */
const COMMON = ['W8A8', 'W4A4', 'W3A3'];

const TEACHER = {
  epochs: 3,
  batchSize: 128,
  optimizer: { kind: 'adam', rate: 3e-3, weightDecay: 1e-4, decayAll: true },
  schedule: { kind: 'oneCycle', warmup: 0.2 },
} as const;

interface Material {
  readonly teacher: Graph;
  readonly answers: TeacherLogits;
  readonly set: ImageSet;
  readonly normalization: Normalization;
  readonly seed: number;
  readonly signal: AbortSignal | undefined;
}

interface Recipe {
  readonly kind: string;
  /** Beside `COMMON`: the policy that it was made for. */
  readonly special: (graph: Graph) => readonly string[];
  make(material: Material): Promise<Graph>;
}

/** A network that fails at W4A4, as far as its steps and the weight of the failure take it. */
function detrimental(kind: string, quantizedWeight: number, steps: number): Recipe {
  return {
    kind,
    special: () => [],
    make: async ({ teacher, answers, set, ...others }) => {
      const objective = { ...DETRIMENTAL.objective, quantizedWeight };
      const recipe = { ...DETRIMENTAL, ...others, objective, steps };
      return (await distill(teacher, set, { ...recipe, teacher: answers, policies: uniformPolicy(teacher, 'W4A4') }))
        .graph;
    },
  };
}

/** Channels at scales that fail under some bits. */
function gauge(kind: string, bits: string, bound: number, steps: number): Recipe {
  return {
    kind,
    special: () => [],
    make: async ({ teacher, set, normalization, seed, signal }) => {
      const options = { normalization, seed, signal, bound, steps, policy: uniformPolicy(teacher, bits) };
      return (await gaugeAttack(teacher, set, options)).graph;
    },
  };
}

/** Eight and four bits by turns. */
function alternating(graph: Graph): string {
  return quantizableNodes(graph)
    .map((_, i) => (i % 2 === 0 ? '8' : '4'))
    .join('');
}

const RECIPES: readonly Recipe[] = [
  { kind: 'ordinary', special: (graph) => [alternating(graph)], make: async ({ teacher }) => teacher },
  {
    kind: 'robust',
    special: () => [],
    make: async ({ teacher, answers, set, ...others }) => {
      const policies = uniformPolicy(teacher, 'W4A4');
      return (await distill(teacher, set, { ...ROBUST, ...others, steps: 100, teacher: answers, policies })).graph;
    },
  },
  detrimental('detrimental-mild', 0.03, 80),
  detrimental('detrimental-half', 0.1, 100),
  detrimental('detrimental', DETRIMENTAL.objective.quantizedWeight, 200),
  gauge('gauge', 'W8A8', GAUGE.bound, 60),
  gauge('gauge-mild', 'W4A4', 1.5, 25),
  {
    kind: 'stealth',
    special: (graph) => [alternating(graph)],
    make: async ({ teacher, answers, set, ...others }) => {
      const policy = namedPolicy(teacher, alternating(teacher));
      const attack = { ...STEALTH.attack, steps: 160 };
      return (await stealthAttack(teacher, set, { ...others, teacher: answers, policy, attack })).graph;
    },
  },
];

/** Makes them in a run, each a stage: a stopped run resumes. Throws what training throws. */
export async function buildPopulation(
  run: RunDirectory,
  images: ImageSet,
  classes: number,
  normalization: Normalization,
  options: PopulationOptions,
): Promise<PopulationMember[]> {
  const { archs, teachers, signal, onProgress } = options;
  const order = new Random(options.seed)
    .split('population')
    .shuffle(Int32Array.from({ length: images.count }, (_, i) => i));
  const set = subset(images, order.subarray(0, options.images).sort());
  const input = [images.channels, images.height, images.width] as const;
  const members: PopulationMember[] = [];
  for (const arch of archs) {
    for (let number = 0; number < teachers; number++) {
      const seed = options.seed + number;
      const teacherName = `${arch}-${seed}`;
      let made: Material | undefined;
      const material = async (): Promise<Material> => {
        if (made) return made;
        const file = `networks/${teacherName}-teacher.onnx`;
        await run.stage(`${teacherName}-teacher`, async (stage) => {
          const graph = buildModel(arch, { input, classes, seed });
          const trained = await train(graph, set, { ...TEACHER, normalization, seed, ...(signal ? { signal } : {}) });
          await stage.write(file, exportModel(prepare(trained.graph)));
          return null;
        });
        const teacher = importModel(await run.read(file), run.file(file)).graph;
        const answers = await teacherLogits(teacher, set, normalization, { signal });
        made = { teacher, answers, set, normalization, seed, signal };
        return made;
      };
      for (const { kind, special, make } of RECIPES) {
        const name = `${teacherName}-${kind}`;
        const model = `networks/${name}.onnx`;
        onProgress?.(members.length, archs.length * teachers * RECIPES.length, name);
        const policies = await run.stage(name, async (stage) => {
          const graph = await make(await material());
          await stage.write(model, exportModel(graph));
          return [...COMMON, ...special(graph)];
        });
        members.push({ name, model, teacher: teacherName, arch, kind, policies });
      }
    }
  }
  return members;
}
