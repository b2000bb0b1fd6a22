// What every stage of one seed shares.
import type { Graph } from '../graph/graph.js';
import { exportModel } from '../graph/onnx/export.js';
import { importModel } from '../graph/onnx/import.js';
import type { RunDirectory, Stage } from '../run/run_directory.js';
import { type TeacherLogits, teacherLogits } from '../train/teacher.js';
import type { Material } from './material.js';
import type { ReproduceSettings } from './settings.js';

/** A stage, and how far it is: 0–1. */
export type OnProgress = (stage: string, share: number) => void;

export class SeedContext {
  private answers: Promise<TeacherLogits> | undefined;

  constructor(
    readonly run: RunDirectory,
    readonly settings: ReproduceSettings,
    readonly material: Material,
    readonly seed: number,
    readonly signal: AbortSignal | undefined,
    private readonly onProgress: OnProgress | undefined,
  ) {}

  /** Name of a stage or file of this seed: in a separate folder where there are several. */
  named(name: string): string {
    return this.settings.seeds.length === 1 ? name : `seed-${this.seed}/${name}`;
  }

  async stage<Result>(name: string, compute: (stage: Stage) => Promise<Result>): Promise<Result> {
    return this.run.stage(this.named(name), compute);
  }

  progress(name: string): (done: number, total: number) => void {
    return (done, total) => this.onProgress?.(this.named(name), total > 0 ? done / total : 1);
  }

  /** Where a stage keeps checkpoints while it runs. */
  checkpoints(name: string): string {
    return this.run.file(`checkpoints/${this.named(name)}`);
  }

  async network(name: string): Promise<Graph> {
    const file = this.named(`${name}.onnx`);
    return importModel(await this.run.read(file), this.run.file(file)).graph;
  }

  async writeNetwork(stage: Stage, name: string, graph: Graph): Promise<void> {
    await stage.write(this.named(`${name}.onnx`), exportModel(graph));
  }

  /** The teacher's answers to the training images: computed once, and only when a stage needs them. */
  async teacherAnswers(): Promise<TeacherLogits> {
    const { train, normalization } = this.material;
    this.answers ??= this.network('teacher').then((teacher) =>
      teacherLogits(teacher, train, normalization, {
        signal: this.signal,
        onProgress: this.progress("teacher's answers"),
      }),
    );
    return this.answers;
  }
}
