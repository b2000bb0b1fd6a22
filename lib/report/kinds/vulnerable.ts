// What `vulnerable` found: where a network is most vulnerable under a policy, by layer, channel, class and input.
import { z } from 'zod';
import type { Vulnerable } from '../../assess/vulnerable/vulnerable.js';
import { INPUT_CHANGES, type InputChange } from '../../assess/vulnerable/worst_inputs.js';
import { asPixels } from '../../data/contact_sheet.js';
import type { ImageSet, Normalization } from '../../data/image_set.js';
import { type Block, type Document, paragraph, type Section, section, table } from '../document.js';
import { formatNumber, formatQuantity, percentOf, percentText, plural, policyText } from '../format.js';
import { count, defineKind, estimate, figure, interval, pngUrl, share } from '../kind.js';
import { pictureUrl } from '../picture.js';
import { restoredChart } from '../sections/failure.js';

const vulnerableSchema = z.looseObject({
  schema: z.literal('faultline.vulnerable/1'),
  model: z.string(),
  policy: z.string(),
  measure: z.string(),
  samples: count,
  seed: count,
  /** Percent. */
  fullPrecision: z.number(),
  quantized: z.number(),
  /** Absent in earlier results: classes are then called by their numbers. */
  classNames: z.array(z.string()).default([]),
  layers: z.array(z.looseObject({ node: z.string(), drop: z.number(), restored: z.number() })).min(1),
  pairs: z.array(
    z.looseObject({ nodes: z.tuple([z.string(), z.string()]), restored: z.number(), interaction: z.number() }),
  ),
  channels: z.array(z.looseObject({ node: z.string(), channel: count, share, restored: z.number() })),
  classes: z.array(z.looseObject({ label: count, samples: count, fullPrecision: count, quantized: count })).optional(),
  inputs: z.looseObject({
    flips: count,
    auroc: estimate.optional(),
    marginAuroc: estimate.optional(),
    points: z.array(
      z.looseObject({
        sample: count,
        label: z.number().optional(),
        before: count,
        after: count,
        margin: figure,
        risk: figure,
        /** A data URL, of the first ones. */
        picture: pngUrl.optional(),
      }),
    ),
  }),
  worst: z.array(
    z.looseObject({
      change: z.enum(INPUT_CHANGES),
      tried: count,
      share,
      shareInterval: interval,
      found: z.array(
        z.looseObject({ image: count, label: count, after: count, size: z.number(), picture: pngUrl.optional() }),
      ),
    }),
  ),
});

type Result = z.output<typeof vulnerableSchema>;
/** What a class is called. */
type Named = (label: number) => string;

/** What the pictures are of, and what classes are called. */
interface VulnerableScene {
  /** The images that were measured, in order. */
  readonly images: ImageSet;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
}

const PICTURES = 24;
const ROWS = 50;

/** What was found, with pictures of the inputs that are shown; `input` of worst inputs as numbers. */
export function vulnerableResult(found: Vulnerable, { images, normalization, classNames }: VulnerableScene) {
  const { height, width, channels } = images;
  const picture = (input: Float32Array) =>
    pictureUrl(asPixels({ height, width, channels, count: 1, pixels: input }, normalization), 0);
  return {
    ...found,
    classNames,
    inputs: {
      ...found.inputs,
      points: found.inputs.points.map((point, at) => ({
        ...point,
        ...(at < PICTURES ? { picture: pictureUrl(images, point.sample) } : {}),
      })),
    },
    worst: found.worst.map((one) => ({
      ...one,
      found: one.found.map(({ input, ...rest }, at) => ({
        ...rest,
        input: [...input],
        ...(at < PICTURES / 2 ? { picture: picture(input) } : {}),
      })),
    })),
  };
}

function picturesOf<Item extends { readonly picture?: string | undefined }>(items: readonly Item[]) {
  return items.flatMap((item) => (item.picture === undefined ? [] : [{ ...item, picture: item.picture }]));
}

/** What a size of a change means, in words. */
export function sizeText(change: InputChange, size: number): string {
  const number = formatNumber(size, 'number');
  switch (change) {
    case 'pixel':
      return `one pixel ×${number}`;
    case 'linf':
      return `all pixels ±${formatNumber(255 * size, 'number')} of 255`;
    case 'intensity':
      return `intensity ×${formatNumber(1 + size, 'number')} or ÷`;
  }
}

function layerSection({ layers, pairs, measure }: Result): Section[] {
  const about = {
    name: 'restored',
    caption: 'Points won back when one layer alone stays in full precision',
    alt: `${layers.length} layers, most by ${weakest(layers).node}`,
  };
  const caption = `Points of ${measure}: lost with this layer alone quantized, won back with it alone in full precision`;
  const alone = table({ name: 'layers', caption, brief: true }, layers, [
    ['node', 'layer', 'text', ({ node }) => node],
    ['drop', 'lost, alone quantized', 'points', ({ drop }) => drop, { better: 'lower' }],
    ['restored', 'won back, alone fp32', 'points', ({ restored }) => restored],
  ]);
  const beyond = 'Pairs of layers restored together: points won back, and how many beyond those of each alone';
  const together = table({ name: 'pairs', caption: beyond, folded: pairs.length > 12 }, pairs, [
    ['a', 'layer', 'text', ({ nodes: [a] }) => a],
    ['b', 'and', 'text', ({ nodes: [, b] }) => b],
    ['restored', 'restored', 'points', ({ restored }) => restored],
    ['interaction', 'beyond each alone', 'points', ({ interaction }) => interaction],
  ]);
  const blocks = [restoredChart(about, layers), alone, ...(pairs.length > 0 ? [together] : [])];
  return section('layers', 'By layer', blocks);
}

function channelSection({ channels }: Result): Section[] {
  if (channels.length === 0) return [];
  const caption =
    'Input channels by their part of the noise that reaches the margin, predicted from full precision, and the ' +
    'points won back on integers with that channel alone in full precision';
  return section('channels', 'By channel', [
    table({ name: 'channels', caption, brief: true }, channels, [
      ['node', 'layer', 'text', ({ node }) => node],
      ['channel', 'channel', 'count', ({ channel }) => channel],
      ['share', 'of the noise', 'percent', (one) => 100 * one.share],
      ['restored', 'won back, alone fp32', 'points', ({ restored }) => restored],
    ]),
  ]);
}

function classSection({ classes }: Result, named: Named): Section[] {
  if (!classes) return [];
  const rows = classes
    .map(({ label, samples, fullPrecision, quantized }) => {
      const [before, after] = [(100 * fullPrecision) / samples, (100 * quantized) / samples];
      return { label, samples, before, after, drop: before - after };
    })
    .sort((a, b) => b.drop - a.drop);
  return section('classes', 'By class', [
    table({ name: 'classes', caption: 'Accuracy by class, most lost first', brief: true }, rows, [
      ['class', 'class', 'text', ({ label }) => named(label)],
      ['images', 'images', 'count', ({ samples }) => samples],
      ['fp', 'fp32', 'percent', ({ before }) => before],
      ['integer', 'integer', 'percent', ({ after }) => after, { better: 'higher' }],
      ['drop', 'lost', 'points', ({ drop }) => drop, { better: 'lower' }],
    ]),
  ]);
}

function inputSection({ inputs }: Result, named: Named): Section[] {
  const { points, flips, auroc, marginAuroc } = inputs;
  const rated = auroc && marginAuroc;
  const text =
    `${plural(flips, 'image')} of ${formatNumber(points.length, 'count')} change their class. They are ranked by risk: how ` +
    'far noise of one quantization step moves the margin in full precision, over the margin itself.' +
    (rated
      ? ` The risk separates those that change from the others with an AUROC of ${formatNumber(auroc.value)}, the margin ` +
        `alone with ${formatNumber(marginAuroc.value)}.`
      : '');
  const first = points.slice(0, ROWS);
  const pictures = picturesOf(points).map(({ sample, before, after, picture: source }) => ({
    source,
    alt: `image ${sample}: ${named(before)}${after === before ? ', kept' : ` became ${named(after)}`}`,
    caption: after === before ? `${named(before)}, kept` : `${named(before)} → ${named(after)}`,
  }));
  return section('inputs', 'By input', [
    paragraph(text),
    { kind: 'pictures', caption: 'Most at risk', pictures },
    table({ name: 'inputs', caption: `The first ${first.length} by risk`, folded: true }, first, [
      ['image', 'image', 'count', ({ sample }) => sample],
      ['label', 'label', 'text', ({ label }) => (label === undefined ? undefined : named(label))],
      ['before', 'fp32', 'text', ({ before }) => named(before)],
      ['after', 'integer', 'text', ({ after }) => named(after)],
      ['margin', 'margin', 'number', ({ margin }) => margin],
      ['risk', 'risk', 'number', ({ risk }) => risk],
    ]),
  ]);
}

function worstSection({ worst }: Result, named: Named): Section[] {
  if (worst.length === 0) return [];
  const text =
    'The smallest change of an image that leaves it right in full precision and wrong on integers. Every one was run in ' +
    'both: true failures, and upper bounds of the smallest there are.';
  const size = ({ change, found }: Result['worst'][number], at: number) =>
    found[at] && sizeText(change, found[at].size);
  const caption = 'Images right in both that a change of this kind breaks quantized only';
  const pictures = worst.flatMap(({ change, found }): Block[] => {
    if (found.length === 0) return [];
    const shown = picturesOf(found).map(({ picture: source, image, label, after, size: changed }) => ({
      source,
      alt: `image ${image}, ${sizeText(change, changed)}: ${named(label)} became ${named(after)}`,
      caption: `${named(label)} → ${named(after)}, ${sizeText(change, changed)}`,
    }));
    return [{ kind: 'pictures', caption: `The smallest changes that break: ${change}`, pictures: shown }];
  });
  return section('worst', 'Worst inputs', [
    paragraph(text),
    table({ name: 'worst', caption, brief: true }, worst, [
      ['change', 'change', 'text', ({ change }) => change],
      ['tried', 'right before', 'count', ({ tried }) => tried],
      ['share', 'broken', 'percent', (one) => percentOf(one.share, one.shareInterval), { better: 'lower' }],
      ['least', 'smallest', 'text', (one) => size(one, 0)],
      ['median', 'median', 'text', (one) => size(one, Math.floor(one.found.length / 2))],
    ]),
    ...pictures,
  ]);
}

const weakest = (layers: Result['layers']) => layers.reduce((a, b) => (b.restored > a.restored ? b : a));

function vulnerableDocument(found: Result): Document {
  const named = (label: number) => found.classNames[label] ?? String(label);
  const { layers, inputs, measure, model, policy, samples } = found;
  const most = weakest(layers);
  return {
    title: `Points of highest vulnerability of ${model}`,
    lead:
      `Under ${policyText(policy)} ${measure} goes from ${percentText(found.fullPrecision)} to ` +
      `${percentText(found.quantized)} on ${plural(samples, 'image')}; ${inputs.flips} change their class. ${most.node} alone in ` +
      `full precision wins back ${formatQuantity(most.restored, 'points')}.`,
    facts: [],
    sections: [
      ...layerSection(found),
      ...channelSection(found),
      ...classSection(found, named),
      ...inputSection(found, named),
      ...worstSection(found, named),
    ],
    footer: `faultline · seed ${found.seed}`,
  };
}

export const kind = defineKind({
  schema: 'faultline.vulnerable/1',
  result: vulnerableSchema,
  document: vulnerableDocument,
});
