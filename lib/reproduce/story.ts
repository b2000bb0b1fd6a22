// What a reader must know beside the figures: what the paper published, and what it left open and we had to assume.
import type { PairResult, ReportInput } from '../report/schema.js';

type Reference = NonNullable<ReportInput['references']>[number];
type Assumption = NonNullable<ReportInput['assumptions']>[number];

const PAPER = 'Frank & Ardis, arXiv 2510.02457';

const span = (values: readonly number[]): string => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return low === high ? low.toFixed(1) : `${low.toFixed(1)} to ${high.toFixed(1)}`;
};

/** Published figures beside those of these pairs: reference points, not a claim of reproduction. */
export function references(pairs: readonly PairResult[]): Reference[] {
  const drops = (objective: string) => pairs.filter((pair) => pair.objective === objective).map(({ drop }) => drop);
  const beside = (objective: string) => {
    const reached = drops(objective);
    return reached.length > 0 ? { ours: `${span(reached)} points` } : {};
  };
  return [
    { what: 'Drop of detrimental pairs', published: '10–65 %', ...beside('detrimental'), source: PAPER },
    { what: 'Drop of robust pairs', published: 'less than 2 %', ...beside('robust'), source: PAPER },
    { what: 'ResNet-18, detrimental', published: '24.39 points', source: PAPER },
    { what: 'ResNet-18, robust', published: '.22 points', source: PAPER },
  ];
}

export const ASSUMPTIONS: readonly Assumption[] = [
  {
    what: 'Losses and their weights',
    assumed:
      'Detrimental: 2 · MSE of full-precision logits to the teacher + .3 · hinge that pushes the quantized margin of the ' +
      "teacher's class below −2. Robust: MSE of both to the teacher. Found on validation images.",
  },
  {
    what: 'Teacher and student',
    assumed:
      'The teacher is a black box that answers with logits; the student starts from a copy of it with its batch norms ' +
      'folded, and is trained without augmentation. Where a policy by input leaves every layer four bits or more, ' +
      "the copy's channels are first rescaled by powers of two up to 4: the same function, in ranges that few bits do not cover.",
  },
  {
    what: 'Quantization',
    assumed:
      'Weights symmetric, one scale for each output channel. Activations asymmetric, unsigned, range taken from the ' +
      'minimum and maximum of each sample at run time. Every figure marked as quantized comes from integer arithmetic.',
  },
  {
    what: 'Bits',
    assumed: 'Static policies choose W4A4 or W8A8 for each layer; policies by input choose activation bits.',
  },
  { what: 'Budget', assumed: 'The mean over all quantizable layers, first and last among them, is met exactly.' },
  {
    what: 'Agent, state and reward',
    assumed:
      'Static: an agent searches the budget on the integer engine between rounds of distillation, its reward the accuracy ' +
      'on validation images. By input: an agent that looks at each input and chooses one of a few policies for it, or ' +
      'bits node by node (PPO); its reward is the margin of the class that full precision gives.',
  },
  { what: 'Data', assumed: 'The paper names image classification; these figures are of the data set named above.' },
];
