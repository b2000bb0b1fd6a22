// The tasks by name, and the one place that chooses: by name, else the task that a network's output leaves no doubt of,
// else classification.
import { InvalidArgumentError } from '../core/errors.js';
import type { Graph } from '../graph/graph.js';
import { outputOf } from '../graph/output.js';
import * as all from './all.js';
import type { Task } from './task.js';

const list: readonly Task[] = Object.values(all);

/** Every task under its name. */
export const TASKS: ReadonlyMap<string, Task> = new Map(list.map((task) => [task.name, task]));

interface Choice {
  readonly task: Task;
  /** Why it is this one, where that is to be said. */
  readonly why: string | undefined;
}

const recognized = new WeakMap<Graph, Choice>();

/** The task of a network's first output, and why. Throws GraphError, InvalidArgumentError for a name that is none. */
export function chooseTask(graph: Graph, name?: string): Choice {
  const known = name === undefined ? recognized.get(graph) : undefined;
  if (known) return known;
  const output = outputOf(graph);
  const why = (task: Task) => task.recognizes?.(output);
  const task = name === undefined ? (list.find(why) ?? all.classification) : TASKS.get(name);
  if (!task) throw new InvalidArgumentError('faultline', '--task', [...TASKS.keys()].join(', '), String(name));
  const fitted: Task = task.for?.(output) ?? task;
  if (name !== undefined) return { task: { ...fitted, doubt: () => undefined }, why: undefined };
  const choice = { task: fitted, why: why(task) };
  recognized.set(graph, choice);
  return choice;
}

/** The task that a network's first output leaves no doubt of, else classification. */
export const taskOf = (graph: Graph): Task => chooseTask(graph).task;
