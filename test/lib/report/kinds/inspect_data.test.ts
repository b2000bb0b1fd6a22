// What `inspect --data` found, as a document: warnings first, figures by channel, the contact sheet.
import { encodePng } from '../../../../lib/data/png.js';
import { kind } from '../../../../lib/report/kinds/inspect_data.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of data', () => {
  it('shows warnings, channels, classes and the sheet', async () => {
    const sheet = `data:image/png;base64,${Buffer.from(encodePng(new Uint8Array(4), 2, 2, 1)).toString('base64')}`;
    const result = {
      ...{ schema: 'faultline.inspectData/1', data: 'pictures', samples: 4, shape: [8, 8, 1], sheet },
      channels: [{ min: -1.25, max: 2.5, mean: 0.125, std: 0.75 }],
      classes: [{ name: 'cat', count: 3 }],
      warnings: ['red and blue may be swapped'],
    };
    checkDocument(await documentOf(kind, result), ['4 samples of 8×8×1', 'may be swapped', '0.125', 'cat']);
  });
});
