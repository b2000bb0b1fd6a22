// `faultline bench napi`: what a small call from JavaScript costs beyond its native work.
import { napiOverhead } from '../bench/napi.js';
import { defineCommand } from './command.js';

export const command = defineCommand({
  name: 'bench napi',
  options: {},
  examples: ['faultline bench napi', 'faultline bench napi --json'],
  async run({ signal }) {
    return { result: { schema: 'faultline.bench-napi/1', ...(await napiOverhead(signal)) } };
  },
});
