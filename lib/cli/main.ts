#!/usr/bin/env node
// The command `faultline`: one file per subcommand.
import { Command } from 'commander';
import { InvalidArgumentError } from '../core/errors.js';
import { packageVersion } from '../native/inspect.js';
import { addAssessCommand, EXIT_CODES } from './assess.js';
import { addAttackCommand } from './attack.js';
import { addBenchCommand } from './bench.js';
import { addCorruptionsCommand } from './corruptions.js';
import { addInspectCommand } from './inspect.js';
import { addMitigateCommand } from './mitigate.js';
import { addPairCommand } from './pair.js';
import { addProfileCommand } from './profile.js';
import { addQuantizeCommand } from './quantize.js';
import { addReproduceCommand } from './reproduce.js';
import { addScanCommand } from './scan.js';
import { addSearchCommand } from './search.js';
import { addStudyCommand } from './study.js';
import { addTrainCommands } from './train.js';
import { addVulnerableCommand } from './vulnerable.js';

/** Exit codes: 0 done, 1 failed, 2 refused its arguments; but the first three of assess are its verdict. */
const { failed: EXIT_FAILED, refused: EXIT_REFUSED } =
  process.argv[2] === 'assess' ? EXIT_CODES : { failed: 1, refused: 2 };

const HELP_END = `
Examples:
  faultline assess model.onnx --data images.npy,labels.npy
  faultline assess model.onnx --data photos/ --mean .485,.456,.406 \\
    --std .229,.224,.225
  faultline profile model.onnx --data images.npy --policy W4A8 --out runs/profile
  faultline quantize model.onnx --policy W8A8 --out model.int8.onnx

Exit codes: 0 done, 1 failed, 2 refused its arguments; assess: 0 safe,
1 caution, 2 unsafe, 3 failed, 4 refused.
`;

/** Says what went wrong; refusals of options have the program's name already. */
function fail(error: unknown): void {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`${message.startsWith('faultline: ') ? '' : 'faultline: '}${message}\n`);
  process.exitCode = error instanceof InvalidArgumentError ? EXIT_REFUSED : EXIT_FAILED;
}

// A reader that has seen enough (`| head`) stops nothing and changes no exit code; a full disk does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') fail(error);
});
process.stderr.on('error', () => {});
// Node would exit with 1, which is one of the verdicts.
process.on('uncaughtException', (error) => {
  process.stderr.write(`${error.stack ?? error}\n`);
  process.exit(EXIT_FAILED);
});

const program = new Command('faultline')
  .description('How badly can a neural network fail under dynamic post-training quantization?')
  .version(packageVersion())
  .addHelpText('after', HELP_END)
  .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : EXIT_REFUSED));
addAssessCommand(program);
addAttackCommand(program);
addBenchCommand(program);
addCorruptionsCommand(program);
addInspectCommand(program);
addMitigateCommand(program);
addPairCommand(program);
addProfileCommand(program);
addQuantizeCommand(program);
addReproduceCommand(program);
addScanCommand(program);
addSearchCommand(program);
addStudyCommand(program);
addTrainCommands(program);
addVulnerableCommand(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error);
}
