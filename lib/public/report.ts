/** Documents of results, in every format. @module report */

export { buildDocument } from '../report/build.js';
export type { Document } from '../report/document.js';
export { readResult } from '../report/read.js';
export { type Report, type ReportInput, reportSchema } from '../report/schema.js';
export { writeReport } from '../report/write.js';
