// The gradient check leaves no operator out; test/lib/autograd/ops/ runs it, file by file.
import assert from 'node:assert/strict';
import { OPERATORS } from '../../../lib/graph/check.js';
import { GRADIENT_CASES, type GradientCase } from '../../support/gradient_cases.js';

describe('gradient cases', () => {
  it('cover every operator that the tape computes', () => {
    const cases: GradientCase[] = Object.values(GRADIENT_CASES).flat();
    const covered = new Set(cases.map(({ operator }) => operator));
    // Cast hands float32 values on as they are; in float64 the reference would round, and have no slope.
    const missing = [...OPERATORS.values()].filter(
      ({ name, float }) => float !== 'none' && name !== 'Cast' && !covered.has(name),
    );
    assert.deepEqual(
      missing.map(({ name }) => name),
      [],
    );
  });
});
