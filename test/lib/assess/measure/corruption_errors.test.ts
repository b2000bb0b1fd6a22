// Errors over corruptions: means, worst drop, mCE and relative mCE of a small table worked out by hand.
import assert from 'node:assert/strict';
import { CorruptionErrors } from '../../../../lib/assess/measure/corruption_errors.js';

const bits = (text: string) => Uint8Array.from(text, Number);
const close = (actual: number | undefined, expected: number) =>
  assert.ok(actual !== undefined && Math.abs(actual - expected) < 1e-12, `${actual}, expected ${expected}`);

/** Right answers of full precision and of W4A4 to four images. */
function table(): CorruptionErrors {
  const errors = new CorruptionErrors(['fp32', 'W4A4'], 4);
  errors.add(undefined, [bits('1111'), bits('1110')]);
  errors.add('fog', [bits('1110'), bits('1100')]);
  errors.add('fog', [bits('1100'), bits('1000')]);
  errors.add('contrast', [bits('1101'), bits('0001')]);
  return errors;
}

describe('corruption errors', () => {
  it('accuracies and drops are means over conditions and images', () => {
    const [fp, quantized] = table().summaries('fp32', 0.95);
    assert.deepEqual([fp?.policy, quantized?.policy], ['fp32', 'W4A4']);
    close(fp?.cleanAccuracy, 1);
    close(quantized?.cleanAccuracy, 0.75);
    close(fp?.meanAccuracy.value, 8 / 12);
    close(quantized?.meanAccuracy.value, 4 / 12);
    close(fp?.meanDrop.value, 0);
    assert.deepEqual(fp?.meanDrop.interval, [0, 0]);
    close(quantized?.meanDrop.value, 4 / 12);
    close(quantized?.worstDrop, 0.5);
  });

  it('mCE is the mean over corruptions of errors over those of the baseline', () => {
    const [fp, quantized] = table().summaries('fp32', 0.95);
    close(fp?.mCE?.value, 1);
    // fog: 5 errors over 3; contrast: 3 over 1.
    close(quantized?.mCE?.value, (5 / 3 + 3) / 2);
    // Less those on clean images: fog 5 − 2 over 3, contrast 3 − 1 over 1.
    close(quantized?.relativeMCE?.value, (3 / 3 + 2) / 2);
    const [low = 0, high = 0] = quantized?.mCE?.interval ?? [];
    close((low + high) / 2, (5 / 3 + 3) / 2);
    assert.ok(high > low);
    assert.deepEqual(quantized?.corruptions, ['fog', 'contrast']);
  });

  it('there is none where the baseline makes no error', () => {
    const errors = new CorruptionErrors(['fp32', 'W4A4'], 2);
    errors.add(undefined, [bits('11'), bits('11')]);
    errors.add('fog', [bits('11'), bits('10')]);
    const [, quantized] = errors.summaries('fp32', 0.95);
    assert.deepEqual([quantized?.mCE, quantized?.relativeMCE], [undefined, undefined]);
  });

  it("the benchmark's fifteen alone are in mCE where any of them was run", () => {
    const errors = table();
    errors.add('rotation', [bits('1111'), bits('0000')]);
    const [, quantized] = errors.summaries('fp32', 0.95);
    assert.deepEqual(quantized?.corruptions, ['fog', 'contrast']);
    close(quantized?.worstDrop, 1);
  });
});
