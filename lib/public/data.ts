/** Image sets and their readers, samples of any model, corruptions. @module data */

export {
  type ImageSamplesOptions,
  imageSamples,
  type SampleBatch,
  type Samples,
  tensorSamples,
} from '../assess/samples.js';
export { type ContactSheetOptions, contactSheet } from '../data/contact_sheet.js';
export {
  CORRUPTION_FAMILIES,
  CORRUPTION_GROUPS,
  CORRUPTION_NAMES,
  type CorruptionFamily,
  type CorruptionInfo,
  type CorruptionLevel,
  type CorruptionName,
  type CorruptionRequest,
  type CorruptOptions,
  constantsFor,
  corrupt,
  corruptionInfo,
  parseCorruptions,
  SEVERITIES,
  type Severity,
} from '../data/corruptions.js';
export { DataError } from '../data/errors.js';
export { evaluationData } from '../data/evaluation_data.js';
export type { Dataset, ImageSet, Normalization } from '../data/image_set.js';
export { loadDataset, openDataset } from '../data/load.js';
export { type Augmentation, Loader, type LoaderOptions } from '../data/loader.js';
export type { LoadOptions } from '../data/reader.js';
export type { ImageSource, OpenDataset, StoredImages } from '../data/stored_images.js';
