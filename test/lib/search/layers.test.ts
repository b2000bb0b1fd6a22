// What agents see of layers: weights, windows, places.
import assert from 'node:assert/strict';
import { buildModel } from '../../../lib/models/index.js';
import { BudgetSpace } from '../../../lib/policy/budget.js';
import { describeLayers } from '../../../lib/search/layers.js';

describe('describeLayers', () => {
  it('describes layers as their weights and windows say', () => {
    const net = buildModel('resnet8');
    const [stem] = describeLayers(net, ['stem.conv']);
    assert.deepEqual(stem, {
      name: 'stem.conv',
      operator: 'Conv',
      weights: 16 * 9,
      inputSize: 28 * 28,
      depthwise: false,
      inChannels: 1,
      outChannels: 16,
      stride: 2,
      kernel: 3,
    });
    const [logits] = describeLayers(net, ['logits']);
    assert.deepEqual([logits?.inChannels, logits?.outChannels, logits?.inputSize], [64, 10, 64]);
    const mobile = buildModel('mobilenetv2', { input: [3, 32, 32] });
    const names = new BudgetSpace(mobile, { bits: 8, choices: ['W8A8'] }).names;
    const depthwise = describeLayers(mobile, names).filter((layer) => layer.depthwise);
    assert.equal(depthwise.length, mobile.nodes.filter(({ attributes }) => Number(attributes.group) > 1).length);
  });
});
