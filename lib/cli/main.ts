#!/usr/bin/env node
// The command `faultline`: one file per subcommand.
import { Command } from 'commander';
import { InvalidArgumentError } from '../native/errors.js';
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

const program = new Command('faultline')
  .description('How badly can a neural network fail under dynamic post-training quantization?')
  .version(packageVersion())
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
  process.stderr.write(`faultline: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof InvalidArgumentError ? EXIT_REFUSED : EXIT_FAILED;
}
