// What `vulnerable` found: where a network is most vulnerable under a policy, by layer, channel, class and input.
import { z } from 'zod';
import type { Vulnerable } from '../../assess/vulnerable/vulnerable.js';
import { INPUT_CHANGES, type InputChange } from '../../assess/vulnerable/worst_inputs.js';
import { asPixels } from '../../data/contact_sheet.js';
import type { ImageSet, Normalization } from '../../data/image_set.js';
import { type Block, column, type Document, type Section, type Table } from '../document.js';
import { type Cell, formatNumber, formatQuantity, plural } from '../format.js';
import { count, defineKind, figure, pngUrl, share } from '../kind.js';
import { pictureUrl } from '../picture.js';

const estimate = z.looseObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]) });

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
      shareInterval: z.tuple([z.number(), z.number()]),
      found: z.array(
        z.looseObject({ image: count, label: count, after: count, size: z.number(), picture: pngUrl.optional() }),
      ),
    }),
  ),
});

type Result = z.output<typeof vulnerableSchema>;

/** What the pictures are of, and what classes are called. */
interface VulnerableScene {
  /** The images that were measured, in order. */
  readonly images: ImageSet;
  readonly normalization: Normalization;
  readonly classNames: readonly string[];
}

const PICTURES = 24;
const ROWS = 50;

const percent = (value: number) => formatQuantity(value, 'percent');

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

function layerSection({ layers, pairs, measure }: Result): Section {
  const most = layers.reduce((a, b) => (b.restored > a.restored ? b : a));
  const table: Table = {
    kind: 'table',
    name: 'layers',
    caption: `Points of ${measure}: lost with this layer alone quantized, won back with it alone in full precision`,
    brief: true,
    columns: [
      column('node', 'layer', 'text'),
      column('drop', 'lost, alone quantized', 'points', { better: 'lower' }),
      column('restored', 'won back, alone fp32', 'points'),
    ],
    rows: layers.map(({ node, drop, restored }): Cell[] => [node, drop, restored]),
  };
  const chart: Block = {
    kind: 'chart',
    name: 'restored',
    caption: 'Points won back when one layer alone stays in full precision',
    alt: `${layers.length} layers, most by ${most.node}`,
    data: {
      type: 'bars',
      x: { label: 'won back', unit: 'points' },
      bars: layers.map(({ node, restored }) => ({ label: node, value: restored, emphasis: node === most.node })),
    },
  };
  const together: Table = {
    kind: 'table',
    name: 'pairs',
    caption: 'Pairs of layers restored together: points won back, and how many beyond those of each alone',
    folded: pairs.length > 12,
    columns: [
      column('a', 'layer', 'text'),
      column('b', 'and', 'text'),
      column('restored', 'restored', 'points'),
      column('interaction', 'beyond each alone', 'points'),
    ],
    rows: pairs.map(({ nodes: [a, b], restored, interaction }): Cell[] => [a, b, restored, interaction]),
  };
  return { id: 'layers', title: 'By layer', blocks: [chart, table, ...(pairs.length > 0 ? [together] : [])] };
}

function channelSection({ channels }: Result): Section | undefined {
  if (channels.length === 0) return undefined;
  return {
    id: 'channels',
    title: 'By channel',
    blocks: [
      {
        kind: 'table',
        name: 'channels',
        caption:
          'Input channels by their part of the noise that reaches the margin, predicted from full precision, and the ' +
          'points won back on integers with that channel alone in full precision',
        brief: true,
        columns: [
          column('node', 'layer', 'text'),
          column('channel', 'channel', 'count'),
          column('share', 'of the noise', 'percent'),
          column('restored', 'won back, alone fp32', 'points'),
        ],
        rows: channels.map(({ node, channel, share, restored }): Cell[] => [node, channel, 100 * share, restored]),
      },
    ],
  };
}

function classSection({ classes }: Result, named: (label: number) => string): Section | undefined {
  if (!classes) return undefined;
  const rows = classes
    .map(({ label, samples, fullPrecision, quantized }) => {
      const [before, after] = [(100 * fullPrecision) / samples, (100 * quantized) / samples];
      return { label, samples, before, after, drop: before - after };
    })
    .sort((a, b) => b.drop - a.drop);
  return {
    id: 'classes',
    title: 'By class',
    blocks: [
      {
        kind: 'table',
        name: 'classes',
        caption: 'Accuracy by class, most lost first',
        brief: true,
        columns: [
          column('class', 'class', 'text'),
          column('images', 'images', 'count'),
          column('fp', 'fp32', 'percent'),
          column('integer', 'integer', 'percent', { better: 'higher' }),
          column('drop', 'lost', 'points', { better: 'lower' }),
        ],
        rows: rows.map(({ label, samples, before, after, drop }): Cell[] => [
          named(label),
          samples,
          before,
          after,
          drop,
        ]),
      },
    ],
  };
}

function inputSection({ inputs }: Result, named: (label: number) => string): Section {
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
  return {
    id: 'inputs',
    title: 'By input',
    blocks: [
      { kind: 'text', text },
      {
        kind: 'pictures',
        caption: 'Most at risk',
        pictures: picturesOf(points).map(({ sample, before, after, picture }) => ({
          source: picture,
          alt: `image ${sample}: ${named(before)}${after === before ? ', kept' : ` became ${named(after)}`}`,
          caption: after === before ? `${named(before)}, kept` : `${named(before)} → ${named(after)}`,
        })),
      },
      {
        kind: 'table',
        name: 'inputs',
        caption: `The first ${first.length} by risk`,
        folded: true,
        columns: [
          column('image', 'image', 'count'),
          column('label', 'label', 'text'),
          column('before', 'fp32', 'text'),
          column('after', 'integer', 'text'),
          column('margin', 'margin', 'number'),
          column('risk', 'risk', 'number'),
        ],
        rows: first.map(({ sample, label, before, after, margin, risk }): Cell[] => [
          sample,
          label === undefined ? undefined : named(label),
          named(before),
          named(after),
          margin,
          risk,
        ]),
      },
    ],
  };
}

function worstSection({ worst }: Result, named: (label: number) => string): Section | undefined {
  if (worst.length === 0) return undefined;
  const blocks = worst.flatMap(({ change, found }): Block[] => {
    if (found.length === 0) return [];
    return [
      {
        kind: 'pictures',
        caption: `The smallest changes that break: ${change}`,
        pictures: picturesOf(found).map((one) => ({
          source: one.picture,
          alt: `image ${one.image}, ${sizeText(change, one.size)}: ${named(one.label)} became ${named(one.after)}`,
          caption: `${named(one.label)} → ${named(one.after)}, ${sizeText(change, one.size)}`,
        })),
      },
    ];
  });
  const median = (sizes: readonly number[]) => sizes[Math.floor(sizes.length / 2)];
  return {
    id: 'worst',
    title: 'Worst inputs',
    blocks: [
      {
        kind: 'text',
        text:
          'The smallest change of an image that leaves it right in full precision and wrong on integers. Every one was run in ' +
          'both: true failures, and upper bounds of the smallest there are.',
      },
      {
        kind: 'table',
        name: 'worst',
        caption: 'Images right in both that a change of this kind breaks quantized only',
        brief: true,
        columns: [
          column('change', 'change', 'text'),
          column('tried', 'right before', 'count'),
          column('share', 'broken', 'percent', { better: 'lower' }),
          column('least', 'smallest', 'text'),
          column('median', 'median', 'text'),
        ],
        rows: worst.map(({ change, tried, found, share, shareInterval: [low, high] }): Cell[] => {
          const sizes = found.map(({ size }) => size);
          const text = (size: number | undefined) => (size === undefined ? undefined : sizeText(change, size));
          return [
            change,
            tried,
            { value: 100 * share, interval: [100 * low, 100 * high] },
            text(sizes[0]),
            text(median(sizes)),
          ];
        }),
      },
      ...blocks,
    ],
  };
}

function vulnerableDocument(found: Result): Document {
  const named = (label: number) => found.classNames[label] ?? String(label);
  const { layers, inputs, measure, model, policy, samples } = found;
  const most = layers.reduce((a, b) => (b.restored > a.restored ? b : a));
  const sections = [
    layerSection(found),
    channelSection(found),
    classSection(found, named),
    inputSection(found, named),
    worstSection(found, named),
  ];
  return {
    title: `Points of highest vulnerability of ${model}`,
    lead:
      `Under ${policy.length > 20 ? 'a mixed policy' : policy} ${measure} goes from ${percent(found.fullPrecision)} to ` +
      `${percent(found.quantized)} on ${plural(samples, 'image')}; ${inputs.flips} change their class. ${most.node} alone in ` +
      `full precision wins back ${formatQuantity(most.restored, 'points')}.`,
    facts: [],
    sections: sections.filter((section) => section !== undefined),
    footer: `faultline · seed ${found.seed}`,
  };
}

export const kind = defineKind({
  schema: 'faultline.vulnerable/1',
  result: vulnerableSchema,
  document: vulnerableDocument,
});
