// Finds the folder in which this package is installed.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder that holds package.json. */
export function packageRoot(): string {
  // dist/lib/core/package_root.js → the folder that holds package.json
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
}
