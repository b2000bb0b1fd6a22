// All tasks. A new one is a file and a line here.

export { classification } from './classification.js';
