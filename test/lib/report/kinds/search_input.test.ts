// A search of policies by input as a document: controls with what they are, accuracy only where there are labels.
import assert from 'node:assert/strict';
import { tablesOf } from '../../../../lib/report/document.js';
import { kind } from '../../../../lib/report/kinds/search_input.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const result = {
  ...{ schema: 'faultline.search-input/2', model: 'runs/net.onnx', objective: 'detrimental', seed: 3 },
  budget: { bits: 6, choices: ['W8A4', 'W8A8'], policies: '252' },
  images: { learned: 100, selected: 50, judged: 40 },
  figures: [
    { name: 'agent', agreement: 20 },
    { name: 'open loop', agreement: 35 },
  ],
  chosen: { policies: 4, commonest: 60 },
  history: [{ iteration: 1, agreement: 50 }],
};

describe('document of a search by input', () => {
  it('sets the agent beside its controls; less agreement is better for an attack', async () => {
    const document = await documentOf(kind, result);
    checkDocument(document, ['policy by input of net.onnx', 'open loop', '252 policies']);
    const [controls, history] = tablesOf(document);
    assert.deepEqual(
      controls?.columns.map(({ key, better }) => [key, better]),
      [
        ['policy', undefined],
        ['agreement', 'lower'],
        ['note', undefined],
      ],
    );
    assert.deepEqual(controls?.rows[1], ['open loop', 35, 'its commonest policy for every input']);
    assert.deepEqual(history?.rows, [['agent', 1, 50]]);
  });

  it('has accuracies with labels, and no chart without a history', async () => {
    const labelled = result.figures.map((figure) => ({ ...figure, accuracy: 10 }));
    const robust = { ...result, objective: 'robust', figures: labelled, history: [] };
    const [controls, ...others] = tablesOf(await documentOf(kind, robust));
    assert.deepEqual(controls?.columns[1], { key: 'accuracy', label: 'accuracy', unit: 'percent', better: 'higher' });
    assert.deepEqual(others, []);
  });
});
