// Settings of a reproduction: defaults, what replaces them, and the budgets that follow.
import assert from 'node:assert/strict';
import { formatScheme } from '../../../lib/format/scheme.js';
import { toScheme } from '../../../lib/policy/policy.js';
import { DEFAULTS, inputBudget, settingsFor, staticBudget } from '../../../lib/reproduce/settings.js';
import { TEACHER } from '../../../lib/train/recipes.js';

describe('settings of a reproduction', () => {
  it('are the defaults but for what is replaced; large networks learn in fewer epochs', () => {
    assert.deepEqual(settingsFor(), { ...DEFAULTS, teacher: { ...TEACHER } });
    const own = settingsFor({ arch: 'resnet18', budget: 5 });
    assert.deepEqual([own.arch, own.budget, own.teacher.epochs], ['resnet18', 5, 3]);
    const teacher = { ...TEACHER, epochs: 1 };
    assert.equal(settingsFor({ arch: 'resnet18', teacher }).teacher.epochs, 1);
  });

  it('budgets: both kinds of bits of static policies, activation bits alone by input', () => {
    const settings = settingsFor({ budget: 4, staticChoices: ['W2A2', 'W8A8'], inputBits: [2, 8] });
    assert.deepEqual(staticBudget(settings), { bits: 4, choices: ['W2A2', 'W8A8'] });
    const { bits, choices = [], counted } = inputBudget(settings);
    assert.deepEqual([bits, counted], [4, 'activations']);
    assert.deepEqual(
      choices.map((one) => formatScheme(toScheme(one))),
      ['W8A2', 'W8A8'],
    );
  });
});
