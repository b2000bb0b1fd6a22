// Documents of both kinds of search, made of results of the library.
import { kind } from '../../../../lib/report/kinds/search.js';
import { kind as inputKind } from '../../../../lib/report/kinds/search_input.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

const budget = { bits: 4, choices: ['W2A2', 'W6A6'], policies: '3' };
const common = { model: 'folder/model.onnx', objective: 'detrimental', seed: 1, budget };

describe('the document of a search', () => {
  it('has agents beside each other, the landscape, and the policy by layer', async () => {
    const policy = { schema: 'faultline.policy/2', nodes: { first: 'W2A2', logits: 'W6A6' }, excluded: [] };
    const history = [{ evaluations: 1, best: 40 }];
    const result = {
      ...{ schema: 'faultline.search/2', ...common, measure: 'accuracy', found: 'exhaustive' },
      images: { searched: 40, others: 20 },
      fullPrecision: { searched: 90, others: 85 },
      operators: { first: 'Conv 3x3', logits: 'Gemm' },
      agents: [
        { agent: 'ddpg', evaluations: 2, value: 40, regret: 5, others: 42.5, history, policy },
        { agent: 'exhaustive', evaluations: 3, value: 35, regret: 0, others: 37.5, history, policy },
      ],
      landscape: [35, 40, 61.25],
    };
    const words = ['worst policy', 'exhaustive', '37.50', '61.25', 'Conv 3x3', 'W2A2', '90.00 and 85.00 %'];
    checkDocument(await documentOf(kind, result), words);
  });

  it('says of a policy by input what its controls are', async () => {
    const result = {
      ...{ schema: 'faultline.search-input/2', ...common },
      images: { learned: 200, selected: 100, judged: 50 },
      figures: [
        { name: 'agent', accuracy: 40, agreement: 42 },
        { name: 'open loop', accuracy: 50, agreement: 52 },
      ],
      chosen: { policies: 2, commonest: 75 },
      history: [{ iteration: 1, agreement: 60 }],
    };
    checkDocument(await documentOf(inputKind, result), [
      'by input',
      'its commonest policy',
      '75.00 %',
      'selected on 100',
    ]);
  });
});
