// All readers of samples. A new one is a file and a line here.

export { npyReader, npzReader } from './arrays.js';
export { cifarReader } from './cifar.js';
export { idxReader } from './idx.js';
export { imageFolderReader } from './image_folder.js';
export { mnistReader } from './mnist.js';
