// What `study` found: how well each indicator predicts which networks fail, and a predictor judged on networks held out.
import { z } from 'zod';
import { INDICATORS, type IndicatorName } from '../../assess/indicators/names.js';
import { termLabels } from '../../assess/indicators/predictor.js';
import { bullets, type Document, paragraph, section, table } from '../document.js';
import { formatCell, type Measured, plural } from '../format.js';
import { count, defineKind, estimate } from '../kind.js';

const quality = z.looseObject({
  networks: count,
  broken: count,
  spearman: estimate.optional(),
  auroc: estimate.optional(),
});
const fitted = quality.extend({ meanError: z.number() }).loose();
const indicatorName = z.enum(Object.keys(INDICATORS) as [IndicatorName, ...IndicatorName[]]);

const studySchema = z.looseObject({
  schema: z.literal('faultline.indicators/1'),
  threshold: z.number(),
  networks: z.array(
    z.looseObject({
      ...{ name: z.string(), teacher: z.string(), arch: z.string(), kind: z.string(), policy: z.string() },
      drop: z.number(),
    }),
  ),
  indicators: z.array(z.looseObject({ indicator: indicatorName, all: quality })),
  heldOutTeachers: fitted.optional(),
  heldOutArchs: fitted.optional(),
  predictor: z.looseObject({
    terms: z.array(z.looseObject({ indicator: indicatorName })),
    provenance: z.looseObject({
      networks: count,
      policies: z.array(z.string()),
      teachers: z.array(z.string()),
      archs: z.array(z.string()),
    }),
  }),
});

type Study = z.output<typeof studySchema>;
type Fitted = z.output<typeof fitted>;

const cellOf = (value: z.output<typeof estimate> | undefined): Measured | undefined => value;

function fittedLine(what: string, found: Fitted | undefined): string {
  if (!found) return `${what}: too few to tell`;
  const [spearman, auroc] = [found.spearman, found.auroc].map((value) => formatCell(cellOf(value), 'number'));
  return `${what}: Spearman ${spearman}, AUROC ${auroc}, off by ${found.meanError.toFixed(1)} points`;
}

/** What was studied, in a sentence. */
function populationLine({ networks, predictor, threshold }: Study): string {
  const broken = networks.filter(({ drop }) => drop > threshold).length;
  const { networks: number, teachers, archs, policies } = predictor.provenance;
  return (
    `${plural(number, 'network')} of ${plural(teachers.length, 'teacher')} and ${plural(archs.length, 'architecture')}, ` +
    `${plural(networks.length, 'measured drop')} under ${policies.join(', ')}, ${broken} of more than ${threshold} points`
  );
}

function studyDocument(study: Study): Document {
  const { indicators, predictor, heldOutTeachers, heldOutArchs, networks } = study;
  return {
    title: `Indicators over ${predictor.provenance.networks} networks`,
    lead: `${populationLine(study)}.`,
    facts: [],
    sections: [
      ...section('indicators', 'Indicators', [
        table({ name: 'indicators', caption: 'How well each indicator predicts the drop', brief: true }, indicators, [
          ['indicator', 'indicator', 'text', ({ indicator }) => INDICATORS[indicator].label],
          ['spearman', 'Spearman', 'number', ({ all }) => cellOf(all.spearman), { better: 'higher' }],
          ['auroc', 'AUROC', 'number', ({ all }) => cellOf(all.auroc), { better: 'higher' }],
          [
            'note',
            'note',
            'text',
            ({ indicator }) => (INDICATORS[indicator].classical ? 'classical' : ''),
            { brief: false },
          ],
        ]),
      ]),
      ...section('predictor', 'Predictor', [
        paragraph(`${termLabels(predictor)}. Chosen and fitted without what it is judged on:`, true),
        ...bullets(
          [fittedLine('held-out teachers', heldOutTeachers), fittedLine('held-out architectures', heldOutArchs)],
          true,
        ),
      ]),
      ...section('networks', 'Networks', [
        table({ name: 'networks', caption: 'Measured drops', folded: true }, networks, [
          ['name', 'network', 'text', ({ name }) => name],
          ['arch', 'architecture', 'text', ({ arch }) => arch],
          ['kind', 'kind', 'text', ({ kind: made }) => made],
          ['policy', 'policy', 'text', ({ policy }) => policy],
          ['drop', 'drop', 'points', ({ drop }) => drop],
        ]),
      ]),
    ],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.indicators/1', result: studySchema, document: studyDocument });
