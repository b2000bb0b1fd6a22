// What `study` found: how well each indicator predicts which networks fail, and a predictor judged on networks held out.
import { z } from 'zod';
import { INDICATORS, type IndicatorName } from '../../assess/indicators/names.js';
import { termLabels } from '../../assess/indicators/predictor.js';
import { column, type Document } from '../document.js';
import { type Cell, formatCell, type Measured, plural } from '../format.js';
import { count, defineKind } from '../kind.js';

const estimate = z.looseObject({ value: z.number(), interval: z.tuple([z.number(), z.number()]) });
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
      {
        id: 'indicators',
        title: 'Indicators',
        blocks: [
          {
            kind: 'table',
            name: 'indicators',
            caption: 'How well each indicator predicts the drop',
            brief: true,
            columns: [
              column('indicator', 'indicator', 'text'),
              column('spearman', 'Spearman', 'number', { better: 'higher' }),
              column('auroc', 'AUROC', 'number', { better: 'higher' }),
              column('note', 'note', 'text', { brief: false }),
            ],
            rows: indicators.map(({ indicator, all }): Cell[] => [
              INDICATORS[indicator].label,
              cellOf(all.spearman),
              cellOf(all.auroc),
              INDICATORS[indicator].classical ? 'classical' : '',
            ]),
          },
        ],
      },
      {
        id: 'predictor',
        title: 'Predictor',
        blocks: [
          {
            kind: 'text',
            text: `${termLabels(predictor)}. Chosen and fitted without what it is judged on:`,
            brief: true,
          },
          {
            kind: 'list',
            items: [
              fittedLine('held-out teachers', heldOutTeachers),
              fittedLine('held-out architectures', heldOutArchs),
            ],
            brief: true,
          },
        ],
      },
      {
        id: 'networks',
        title: 'Networks',
        blocks: [
          {
            kind: 'table',
            name: 'networks',
            caption: 'Measured drops',
            folded: true,
            columns: [
              column('name', 'network', 'text'),
              column('arch', 'architecture', 'text'),
              column('kind', 'kind', 'text'),
              column('policy', 'policy', 'text'),
              column('drop', 'drop', 'points'),
            ],
            rows: networks.map(({ name, arch, kind, policy, drop }): Cell[] => [name, arch, kind, policy, drop]),
          },
        ],
      },
    ],
    footer: 'faultline',
  };
}

export const kind = defineKind({ schema: 'faultline.indicators/1', result: studySchema, document: studyDocument });
