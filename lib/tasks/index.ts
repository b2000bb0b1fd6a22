// The tasks by name.
import * as all from './all.js';
import type { Task } from './task.js';

/** Every task under its name. */
export const TASKS: ReadonlyMap<string, Task> = new Map(Object.values(all).map((task) => [task.name, task]));

/** The default task. */
export const DEFAULT_TASK: Task = all.classification;
