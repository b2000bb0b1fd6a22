#!/usr/bin/env node
// Starts the command `faultline`. Everything is imported where a failure of that is caught: with a file missing, or too
// many open, Node would end with 1, which is a verdict.

import { writeSync } from 'node:fs';

/** A failure of any command whose codes are not known yet. */
const NOT_LOADED = 3;

process.on('uncaughtException', () => process.exit(NOT_LOADED)); // until program.ts says more of it
try {
  await import('./program.js');
} catch (error) {
  const received = error instanceof Error ? error.message : String(error);
  writeSync(2, `faultline: expected files of this package that can be read, received ${received}\n`);
  process.exitCode = NOT_LOADED;
}
