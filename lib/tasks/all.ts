// All tasks. A new one is a file and a line here. The first is judged where no other is recognized.

export { binaryTask } from './binary.js';
export { classification } from './classification.js';
