// Scans as documents: every indicator and every layer, shares in percent.
import assert from 'node:assert/strict';
import { imageSamples } from '../../../../lib/assess/samples.js';
import { scan } from '../../../../lib/assess/scan/scan.js';
import { formatNumber } from '../../../../lib/report/format.js';
import { indicatorRows, kind } from '../../../../lib/report/kinds/scan.js';
import { terminalReport } from '../../../../lib/report/terminal.js';
import { blobs, PLAIN, trainedOnBlobs } from '../../../support/assess_networks.js';
import { checkDocument, documentOf } from '../../../support/documents.js';

describe('document of a scan', () => {
  it('shows indicators and every layer, in 80 columns too', async () => {
    const graph = await trainedOnBlobs();
    const found = await scan(graph, imageSamples(graph, blobs(40), PLAIN), { draws: 2 });
    const model = '/a/rather/long/folder/of/models/and/a/long/name/model.onnx';
    const document = await documentOf(kind, { ...found, model });
    const nodes = found.layers.map(({ node }) => node);
    checkDocument(document, ['pseudo-noise flips', 'Hessian trace', ...nodes]);
    const lines = terminalReport(document).split('\n');
    for (const node of nodes) assert.ok(lines.some((line) => line.startsWith(node)));
    const flips = 100 * found.indicators.pseudoNoiseFlips;
    assert.ok(
      lines.some((line) => line.startsWith('pseudo-noise flips, %') && line.includes(` ${formatNumber(flips)} `)),
    );
    assert.deepEqual(indicatorRows(found)[0], {
      indicator: 'pseudo-noise flips, %',
      value: flips,
      note: 'more is worse',
    });
    assert.deepEqual(
      document.sections.map(({ id }) => id),
      ['indicators', 'layers'],
    );
  });
});
