// Recipes: they are frozen to their parts, and each aims at what its name says.
import assert from 'node:assert/strict';
import {
  BOX_REPAIR,
  CELL_ATTACK,
  DETRIMENTAL,
  MULTI_BIT,
  QU_ANTI,
  ROBUST,
  TEACHER,
  TEACHER_RESNET18,
} from '../../../lib/train/recipes.js';

describe('recipes', () => {
  it('aim at what they are called', () => {
    const kinds = { DETRIMENTAL, ROBUST, MULTI_BIT, QU_ANTI, CELL_ATTACK, BOX_REPAIR };
    assert.deepEqual(
      Object.values(kinds).map(({ objective }) => objective.kind),
      ['detrimental', 'robust', 'multiBit', 'quAnti', 'detrimental', 'robust'],
    );
    // A repair of full precision does not look at integers.
    assert.equal(BOX_REPAIR.objective.quantizedWeight, 0);
  });

  it('cannot be changed by who uses them', () => {
    for (const recipe of [DETRIMENTAL, ROBUST, MULTI_BIT, QU_ANTI, CELL_ATTACK, BOX_REPAIR]) {
      assert.throws(() => Object.assign(recipe, { epochs: 9 }), TypeError);
      for (const part of [recipe.objective, recipe.optimizer, recipe.schedule]) assert.ok(Object.isFrozen(part));
    }
    for (const recipe of [TEACHER, TEACHER_RESNET18]) assert.ok(Object.isFrozen(recipe));
  });
});
