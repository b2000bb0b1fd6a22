// The training loop: it learns, it is exact, it stops as it should, and a killed run ends as if it had not been.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Graph } from '../../../lib/graph/graph.js';
import { exportModel } from '../../../lib/graph/onnx/export.js';
import { buildModel } from '../../../lib/models/index.js';
import { setThreads, threads } from '../../../lib/native/threads.js';
import { CheckpointError, TrainingDivergedError } from '../../../lib/train/errors.js';
import { evaluate } from '../../../lib/train/evaluate.js';
import { type TrainOptions, train } from '../../../lib/train/train.js';
import { QUARTERS_NORMALIZATION, quarters } from '../../support/quarters.js';

const SET = quarters(256, 1);
const OPTIONS: TrainOptions = {
  epochs: 2,
  batchSize: 32,
  optimizer: { kind: 'adam', rate: 3e-3, weightDecay: 1e-4 },
  schedule: { kind: 'oneCycle', warmup: 0.2 },
  seed: 5,
  normalization: QUARTERS_NORMALIZATION,
  augmentation: { flip: false, crop: 1 },
};
const network = (seed = 5): Graph => buildModel('resnet8', { input: [1, 8, 8], classes: 4, seed });
const bytes = (graph: Graph) => Buffer.from(exportModel(graph));

describe('train', () => {
  let folder: string;
  const usual = threads();
  before(() => setThreads(1)); // steps this small gain nothing from more
  after(() => setThreads(usual));
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'faultline-train-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('learns what can be learned', async () => {
    const { graph } = await train(network(), SET, { ...OPTIONS, epochs: 4 });
    const { accuracy } = await evaluate(graph, quarters(200, 2), OPTIONS.normalization);
    assert.ok(accuracy > 0.9, `accuracy ${accuracy}`);
  });

  it('gives the same bits for the same seed, others for another, on several threads too', async () => {
    setThreads(2);
    const run = async (seed: number) => bytes((await train(network(), SET, { ...OPTIONS, epochs: 1, seed })).graph);
    const [one, same, other] = [await run(5), await run(5), await run(6)];
    assert.ok(one.equals(same));
    assert.ok(!one.equals(other));
    setThreads(1);
  });

  for (const architecture of ['resnet8', 'mlp'] as const) {
    it(`gives the same bits on one, two and three threads: ${architecture}`, async () => {
      const results: Buffer[] = [];
      for (const count of [1, 2, 3]) {
        setThreads(count);
        const graph = buildModel(architecture, { input: [1, 8, 8], classes: 4, seed: 5 });
        results.push(bytes((await train(graph, SET, { ...OPTIONS, epochs: 1 })).graph));
      }
      setThreads(1);
      for (const other of results) assert.ok(other.equals(results[0] as Buffer));
    });
  }

  for (const optimizer of [
    { kind: 'sgd', rate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 5e-4, clipNorm: 1 },
    { kind: 'adamw', rate: 3e-3, weightDecay: 1e-2, clipNorm: 0.5 },
  ] as const) {
    it(`resumes from a checkpoint in mid-epoch with the same bits: ${optimizer.kind}`, async () => {
      const options: TrainOptions = {
        ...OPTIONS,
        optimizer,
        averageDecay: 0.9,
        labelSmoothing: 0.1,
        schedule: { kind: 'cosine', warmup: 0.1, floor: 0.05 },
      };
      const whole = await train(network(), SET, options);
      const controller = new AbortController();
      const interrupted = train(network(), SET, {
        ...options,
        checkpoints: folder,
        checkpointEvery: 3,
        signal: controller.signal,
        onProgress: ({ step }) => {
          if (step === 11) controller.abort(new Error('enough'));
        },
      });
      await assert.rejects(interrupted, /enough/);
      assert.deepEqual(readdirSync(folder), ['step-9']);
      let first = 0;
      const resumed = await train(network(99), SET, {
        ...options,
        checkpoints: folder,
        resume: true,
        onProgress: ({ step }) => {
          first ||= step;
        },
      });
      assert.equal(first, 10);
      assert.ok(bytes(resumed.graph).equals(bytes(whole.graph)));
    });
  }

  it('refuses a checkpoint of another recipe and a damaged one', async () => {
    await train(network(), SET, { ...OPTIONS, epochs: 1, checkpoints: folder });
    const again = { ...OPTIONS, epochs: 1, checkpoints: folder, resume: true };
    await assert.rejects(train(network(), SET, { ...again, seed: 6 }), CheckpointError);
    const state = join(folder, 'step-8', 'state.bin');
    writeFileSync(state, readFileSync(state).subarray(0, 100));
    await assert.rejects(
      train(network(), SET, again),
      /expected state\.bin as written, received changed or truncated content/,
    );
  });

  it('stops when the loss is no number: step, layer, and the last checkpoint kept', async () => {
    const options = {
      ...OPTIONS,
      checkpoints: folder,
      checkpointEvery: 1,
      optimizer: { kind: 'sgd', rate: 1e30 } as const,
    };
    const error = await train(network(), SET, options).then(
      () => assert.fail('it went on'),
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof TrainingDivergedError, String(error));
    assert.ok(error.step > 1);
    assert.notEqual(error.layer, '');
    assert.deepEqual(readdirSync(folder), [`step-${error.step - 1}`]);
  });

  it('names the layer where numbers first go wrong', async () => {
    const graph = network();
    const name = [...graph.initializers.keys()].find((key) => key.includes('norm') && key.endsWith('scale')) as string;
    const tensor = graph.initializers.get(name);
    assert.ok(tensor);
    const data = Float32Array.from(tensor.data as Float32Array).fill(3e38);
    const broken = graph.with({
      initializers: new Map([...graph.initializers, [name, { ...tensor, data } as typeof tensor]]),
    });
    await assert.rejects(train(broken, SET, OPTIONS), (error: unknown) => {
      assert.ok(error instanceof TrainingDivergedError);
      assert.equal(error.step, 1);
      assert.match(error.layer, /^(BatchNormalization|Conv) \(/);
      return true;
    });
  });

  it('lets the event loop turn, and timers that are due fire, at least once a batch', async () => {
    // Turns are counted, for batches as small as these can take less than a timer's millisecond.
    let [turns, batches, running] = [0, 0, true];
    const turn = () => {
      turns += 1;
      if (running) setImmediate(turn);
    };
    setImmediate(turn);
    const onProgress = () => {
      batches += 1;
    };
    const busy = { ...OPTIONS, epochs: 1, onProgress };
    await train(buildModel('resnet8', { input: [1, 8, 8], classes: 4 }), SET, busy);
    running = false;
    assert.ok(batches > 1 && turns >= batches - 1, `${turns} turns in ${batches} batches`);
  });

  it('stops before the first step when it was called off already', async () => {
    await assert.rejects(train(network(), SET, { ...OPTIONS, signal: AbortSignal.abort(new Error('no')) }), /no/);
  });

  it('holds no more memory after 10,000 steps than after the first of them', async () => {
    const script = fileURLToPath(new URL('./long_run.js', import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', script]);
    // One image batch kept a step, 2 KB, would be 20 MB, an activation 80 MB.
    assert.match(stdout, /^-?\d+$/);
    assert.ok(Number(stdout) < 16 * 2 ** 20, `${stdout} bytes more`);
  });

  it('refuses options that make no sense', async () => {
    await assert.rejects(
      train(network(), SET, { ...OPTIONS, batchSize: 257 }),
      /batchSize: expected an integer from 1 to 256/,
    );
    await assert.rejects(train(network(), SET, { ...OPTIONS, epochs: 0 }), /epochs/);
    await assert.rejects(train(buildModel('resnet8'), SET, OPTIONS), /images: expected shape \[N,1,28,28\]/);
    await assert.rejects(train(network(), SET, { ...OPTIONS, labelSmoothing: 1 }), /labelSmoothing/);
  });

  it('killed with -9 in mid-epoch and started again, ends with the bits of a run left alone', async () => {
    const script = fileURLToPath(new URL('./killed_run.js', import.meta.url));
    const run = (name: string, kill: boolean) =>
      new Promise<void>((resolve, reject) => {
        const child = spawn(process.execPath, [script, join(folder, name)], { stdio: ['ignore', 'pipe', 'inherit'] });
        child.stdout.on('data', (text: Buffer) => {
          if (kill && /^step 1[3-9]$/m.test(text.toString())) child.kill('SIGKILL');
        });
        child.on('error', reject).on('close', () => resolve());
      });
    await run('whole', false);
    await run('killed', true);
    assert.ok(!existsSync(join(folder, 'killed', 'model.onnx')), 'it was killed before its end');
    await run('killed', false);
    const model = (name: string) => readFileSync(join(folder, name, 'model.onnx'));
    assert.ok(model('killed').equals(model('whole')));
  });
});
