// Mocha's settings. Files named on the command line replace the usual ones; mocha itself would add them. The usual ones
// are all but *.all.test.ts, which `npm run test:all` runs.
const named = process.argv.slice(2).some((argument) => /\.test\.js$/.test(argument));

module.exports = {
  ...(named ? {} : { spec: ['dist/test/**/*.test.js'], ignore: ['dist/test/**/*.all.test.js'] }),
  reporter: 'scripts/mocha-reporter.cjs',
  // Ends what hangs. No test may depend on the machine's speed.
  timeout: 30 * 60 * 1000,
};
