// `faultline report`: a result in any format, from its JSON or the folder of its run.
import { join } from 'node:path';
import { csvFiles } from '../report/csv.js';
import { readResult } from '../report/read.js';
import { FORMATS, render } from '../report/render.js';
import { writeWhole } from '../run/files.js';
import { defineCommand } from './command.js';
import { argument, choice, fileToWrite, text } from './option.js';
import { print } from './output.js';

export const command = defineCommand({
  name: 'report',
  arguments: { source: argument('file or run', 'what --json printed, or the folder of a run') },
  options: {
    format: choice('<name>', FORMATS.join(', '), FORMATS, { default: 'terminal' }),
    out: text('<path>', 'write it here; of csv a folder with a file for each table'),
  },
  examples: [
    'faultline report runs/scan --format markdown',
    'faultline report runs/scan/report.json --format csv --out tables',
  ],
  async run({ arguments: { source }, options: { format, out } }) {
    const checked = await readResult(source);
    if (out === undefined && format === 'terminal') return { result: checked.result };
    if (out !== undefined && format === 'csv') {
      for (const [name, content] of csvFiles(checked.document)) await writeWhole(join(out, name), content);
    } else {
      const content = await render(format, checked);
      if (out === undefined) print(content);
      else await writeWhole(fileToWrite(out, '--out'), content);
    }
    return undefined;
  },
});
