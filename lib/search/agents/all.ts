// All agents, static and by input. A new one is a file and a line here.

export { bayes } from './bayes.js';
export { cem } from './cem.js';
export { ddpg } from './ddpg.js';
export { exhaustive } from './exhaustive.js';
export { gate } from './gate.js';
export { greedy } from './greedy.js';
export { ppo } from './ppo.js';
export { random } from './random.js';
export { sensitivity } from './sensitivity.js';
