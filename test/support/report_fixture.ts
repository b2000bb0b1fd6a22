// A report as `faultline reproduce` writes it, with every section filled: figures in the range of real ones, made from a
// seed.
import { pictureUrl } from '../../lib/report/picture.js';
import type { ReportInput } from '../../lib/report/schema.js';
import { Random } from '../../lib/tensor/random.js';

const CLASSES = 'T-shirt/top Trouser Pullover Dress Coat Sandal Shirt Sneaker Bag Ankle boot'.split(/ (?!boot)/);
const NODES = ['stem', 'block1.conv1', 'block1.conv2', 'block2.conv1', 'block2.conv2', 'block2.shortcut'].concat([
  'block3.conv1',
  'block3.conv2',
  'block3.shortcut',
  'fc',
]);
const SIDE = 28;
const BITS = [4, 8, 4, 8, 4, 8, 8, 4, 4, 8];

function picture(random: Random): string {
  const [cx, cy, r] = [random.uniform(9, 19), random.uniform(9, 19), random.uniform(5, 10)];
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const distance = Math.hypot((i % SIDE) - cx, Math.floor(i / SIDE) - cy);
    return distance < r ? 120 + Math.round(random.uniform(0, 120)) : 0;
  });
  return pictureUrl({ count: 1, height: SIDE, width: SIDE, channels: 1, pixels }, 0);
}

type PairInput = NonNullable<ReportInput['pairs']>[number];

function pair(random: Random, objective: string, policy: 'static' | 'input', fp: number, quantized: number): PairInput {
  const drop = fp - quantized;
  const decay = (rate: number, low: number, high: number) => (step: number) =>
    low + (high - low) * Math.exp(-rate * step);
  const steps = Array.from({ length: 40 }, (_, i) => i * 20);
  const fall = decay(0.006, quantized, fp);
  return {
    objective,
    policy,
    agent: policy === 'static' ? 'ddpg' : 'ppo',
    seed: 0,
    effectiveBits: 6,
    fpAccuracy: fp,
    fpGap: 91.3 - fp,
    quantizedAccuracy: quantized,
    drop,
    arch: 'resnet8',
    choices: policy === 'static' ? [4, 8] : [2, 4, 8],
    images: 10_000,
    fpInterval: [fp - 0.55, fp + 0.55],
    quantizedInterval: [quantized - 0.6, quantized + 0.7],
    dropInterval: [drop - 0.8, drop + 0.8],
    pValue: drop > 1 ? 0 : 0.0132,
    layers: NODES.map((node, i) => ({
      node,
      operator: node === 'fc' ? 'Gemm' : 'Conv',
      weightBits: policy === 'static' ? (BITS[i] as number) : 8,
      activationBits: policy === 'static' ? (BITS[9 - i] as number) : 2 + ((i * 7) % 60) / 10,
      ...(policy === 'input' ? { chosen: { 2: 0.25 + i / 40, 4: 0.45 - i / 40, 8: 0.3 } } : {}),
    })),
    flips: {
      count: Math.round(100 * drop) + 41,
      of: 10_000,
      newlyWrong: Math.round(100 * drop) + 20,
      newlyRight: 12,
      examples: Array.from({ length: 14 }, (_, i) => ({
        index: 37 * i + 5,
        label: CLASSES[i % 10] as string,
        before: CLASSES[i % 10] as string,
        after: CLASSES[(i + 3) % 10] as string,
        picture: picture(random),
      })),
    },
    classes: CLASSES.map((name, i) => ({
      name,
      images: 1000,
      fpAccuracy: 80 + ((i * 13) % 19),
      quantizedAccuracy: Math.max(0, 80 + ((i * 13) % 19) - drop * (0.4 + i / 10)),
    })),
    uniform: [
      { name: 'W8A8', accuracy: fp - 0.1, drop: 0.1 },
      { name: 'W4A8', accuracy: fp - drop / 3, drop: drop / 3 },
      { name: 'W8A4', accuracy: fp - drop / 4, drop: drop / 4 },
      { name: 'W4A4', accuracy: fp - drop / 2, drop: drop / 2 },
    ],
    responsible: NODES.map((node, i) => ({
      node,
      accuracy: quantized + (drop * ((i * 5) % 9)) / 12,
      restored: (drop * ((i * 5) % 9)) / 12,
    })),
    ...(policy === 'input'
      ? {
          controls: [
            { control: 'open loop', accuracy: quantized + 1.2, drop: drop - 1.2 },
            { control: 'shuffled bits', accuracy: quantized + 3.4, drop: drop - 3.4 },
            {
              control: 'worst static',
              accuracy: quantized + 9.1,
              drop: drop - 9.1,
              note: 'chosen on validation images',
            },
            { control: 'fresh attacker', accuracy: quantized + 2.2, drop: drop - 2.2 },
          ],
        }
      : {}),
    curves: [
      {
        title: 'distillation',
        xLabel: 'step',
        yLabel: 'accuracy on held-out images',
        yUnit: 'percent',
        series: [
          {
            name: 'full precision',
            points: steps.map((step): [number, number] => [step, fp - 2 * Math.exp(-step / 90)]),
          },
          { name: 'quantized', points: steps.map((step): [number, number] => [step, fall(step)]) },
        ],
      },
    ],
  };
}

function searches(random: Random): NonNullable<ReportInput['search']> {
  const agents: [string, number][] = [
    ['ddpg', 0.3],
    ['greedy', 0.1],
    ['sensitivity + swap', 0.2],
    ['cem', 0.9],
    ['random', 1.9],
  ];
  return agents.flatMap(([agent, final]) =>
    [0, 1, 2].map((seed) => {
      const regret = final * random.uniform(0.5, 1.5);
      const curve = [1, 3, 6, 10, 16, 24, 32, 40].map((x): [number, number] => [x, regret + 22 * Math.exp(-x / 5)]);
      return { agent, evaluations: 40, regret, seed, landscape: 'detrimental, static', curve };
    }),
  );
}

export function reportFixture(): ReportInput {
  const random = new Random(1);
  const corruptions = [
    'gaussian_noise',
    'shot_noise',
    'motion_blur',
    'fog',
    'brightness',
    'contrast',
    'pixelate',
    'bright_pixel',
  ];
  return {
    schema: 'faultline.report/1',
    teacher: {
      accuracy: 91.3,
      interval: [90.73, 91.84],
      arch: 'resnet8',
      parameters: 77_418,
      images: 10_000,
      validationAccuracy: 91.52,
      uniform: [
        { name: 'W8A8', accuracy: 91.2, drop: 0.1 },
        { name: 'W4A8', accuracy: 90.4, drop: 0.9 },
        { name: 'W8A4', accuracy: 90.5, drop: 0.8 },
        { name: 'W4A4', accuracy: 89.3, drop: 2 },
      ],
      curves: [
        {
          title: 'training',
          xLabel: 'epoch',
          yLabel: 'loss',
          series: [
            { name: 'loss', points: [0.71, 0.42, 0.33, 0.27, 0.22].map((y, i): [number, number] => [i + 1, y]) },
          ],
        },
      ],
    },
    pairs: [
      pair(random, 'detrimental', 'static', 90.94, 13.41),
      pair(random, 'detrimental', 'input', 91.02, 6.2),
      pair(random, 'robust', 'static', 91.21, 90.96),
      pair(random, 'robust', 'input', 91.18, 90.4),
    ],
    gauge: [
      { seed: 0, bits: 'W8A8', fpAccuracy: 91.3, fpBitExact: true, quantizedAccuracy: 10, drop: 81.3, fpGap: 0 },
      {
        seed: 0,
        bits: 'W8A8, scales within e^±2',
        fpAccuracy: 91.1,
        fpBitExact: false,
        quantizedAccuracy: 37.7,
        drop: 53.4,
      },
    ],
    search: searches(random),
    landscapes: [
      {
        name: 'detrimental, static',
        budget: 6,
        policies: 252,
        exhaustive: true,
        bins: Array.from({ length: 30 }, (_, i) => ({
          from: 10 + 2.7 * i,
          to: 12.7 + 2.7 * i,
          count: Math.round(28 * Math.exp(-(((i - 21) / 6) ** 2)) + (i < 2 ? 3 : 0)),
        })),
        marks: [
          { x: 13.4, label: 'the learned policy' },
          { x: 89.6, label: 'the best' },
        ],
      },
    ],
    corruptions: {
      images: 2000,
      grid: ['detrimental', 'robust'].flatMap((network) =>
        corruptions.flatMap((corruption, c) =>
          [1, 2, 3, 4, 5].map((severity) => {
            const fpAccuracy = 91 - 4 * severity - 2 * c;
            const drop = network === 'robust' ? 0.2 * severity : Math.min(fpAccuracy, 60 + 3 * c - 5 * severity);
            return {
              corruption,
              severity,
              policy: 'W4A4',
              network,
              fpAccuracy,
              quantizedAccuracy: fpAccuracy - drop,
              drop,
            };
          }),
        ),
      ),
      pictures: corruptions.map((corruption) => ({ corruption, severity: 3, picture: picture(random) })),
    },
    indicators: [
      {
        indicator: 'pseudo-noise flip rate',
        value: 0.31,
        spearman: 0.94,
        spearmanInterval: [0.88, 0.97],
        auroc: 0.99,
        aurocInterval: [0.97, 1],
      },
      { indicator: 'first-order noise over margin', value: 1.7, spearman: 0.93, auroc: 0.98 },
      { indicator: 'kurtosis', value: 4.2, spearman: 0.15, auroc: 0.55, note: 'useless on learned failures' },
    ],
    mitigation: [
      {
        network: 'detrimental, static',
        cure: 'bias correction',
        fpAccuracy: 90.94,
        before: 13.41,
        after: 84.2,
        kept: true,
      },
      {
        network: 'detrimental, static',
        cure: 'equalization',
        fpAccuracy: 90.94,
        before: 13.41,
        after: 13.9,
        kept: false,
      },
      {
        network: 'gauge',
        cure: 'equalization',
        fpAccuracy: 91.3,
        before: 10,
        after: 91.2,
        afterInterval: [90.6, 91.7],
        kept: true,
      },
    ],
    references: [
      { what: 'detrimental drop', published: '10–65 points', ours: '77.53 points', source: 'abstract' },
      { what: 'robust drop', published: '< 2 points', ours: '0.25 points', source: 'abstract' },
    ],
    assumptions: [
      { what: 'losses', assumed: 'mean square error to the teacher and a margin hinge on the quantized logits' },
      { what: 'bits', assumed: '{4, 8}, for policies by input {2, 4, 8}; mean exactly 6' },
    ],
    provenance: {
      command: 'faultline reproduce --data fashion-mnist --arch resnet8 --seed 0 --out runs/reproduce',
      startedAt: '2026-01-02T03:04:05.000Z',
      versions: { faultline: '0.1.0', node: 'v20.19.2' },
      cpu: 'AMD EPYC',
      isa: 'avx512vnni',
      threads: 2,
      seeds: [0],
      data: 'fashion-mnist',
      images: { train: 55_000, validation: 5000, test: 10_000 },
      hashes: { 'teacher.onnx': '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' },
      stages: [
        { name: 'teacher', seconds: 44.1 },
        { name: 'detrimental, static', seconds: 31.7 },
        { name: 'robust, static', seconds: 14.2 },
        { name: 'gauge', seconds: 6.1 },
        { name: 'evaluation', seconds: 12.8 },
      ],
      peakMemoryBytes: 812 * 2 ** 20,
    },
    totalSeconds: 161.4,
  };
}

/** The same with one name, hostile or very long, in the place of objectives, nodes, classes and title. */
export function namedFixture(name: string): ReportInput {
  const report = reportFixture();
  const [pair] = report.pairs ?? [];
  if (!pair) throw new Error('the fixture has a pair');
  pair.objective = name;
  pair.layers?.forEach((layer) => {
    layer.node = name;
  });
  pair.flips?.examples.forEach((flip) => {
    flip.before = name;
  });
  return { ...report, title: name, summary: name };
}
