// The machine as a document: every part of the inspection.
import { inspect } from '../../../../lib/native/inspect.js';
import { kind } from '../../../../lib/report/kinds/inspect.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of the machine', () => {
  it('has every part', async () => {
    const { isa, faultline, node, ...current } = inspect();
    const document = await documentOf(kind, { ...current, isa, faultline, node });
    checkDocument(document, [isa.chosen, faultline.version, node.version]);
  });

  it('says what cannot be met', async () => {
    const current = inspect();
    const result = {
      ...current,
      isa: { ...current.isa, error: 'no such set' },
      device: { requested: 'cuda', error: 'no addon' },
    };
    checkDocument(await documentOf(kind, result), ['error: no such set', 'device: none: no addon']);
  });
});
