// The tasks by name: a new one is a file and a line here.
import { classification } from './classification.js';
import type { Task } from './task.js';

/** Every task under its name. */
export const TASKS: ReadonlyMap<string, Task> = new Map([classification].map((task) => [task.name, task]));

/** What counts as good where nobody says otherwise. */
export const DEFAULT_TASK: Task = classification;
