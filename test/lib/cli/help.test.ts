// The overview of commands: one screen, every command once under its purpose.
import assert from 'node:assert/strict';
import { COMMANDS, GROUPS } from '../../../lib/cli/commands.js';
import { overview } from '../../../lib/cli/help.js';

describe('overview of commands', () => {
  it('has every command once, the purpose before the first of each', () => {
    const lines = overview().split('\n');
    for (const { name, summary } of COMMANDS) {
      assert.equal(lines.filter((line) => line.slice(11).startsWith(name.padEnd(15) + summary)).length, 1, name);
    }
    const purposes = lines.slice(1, 1 + COMMANDS.length).flatMap((line) => line.slice(0, 11).trim() || []);
    assert.deepEqual(purposes, [...GROUPS]);
  });

  it('fits a screen of 80 columns', () => {
    for (const line of overview().split('\n')) assert.ok(line.length <= 80, line);
  });
});
