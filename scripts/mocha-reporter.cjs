// mocha's own spec reporter, which also writes its counts as JSON to the file that FAULTLINE_MOCHA_STATS names.
const { writeFileSync } = require('node:fs');
const { reporters, Runner } = require('mocha');

module.exports = class extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.FAULTLINE_MOCHA_STATS;
    if (file) runner.once(Runner.constants.EVENT_RUN_END, () => writeFileSync(file, JSON.stringify(this.stats)));
  }
};
