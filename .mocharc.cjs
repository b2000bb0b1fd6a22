// Mocha's settings. Files named on the command line replace the whole suite; mocha itself would add them to it.
const named = process.argv.slice(2).some((argument) => /\.test\.js$/.test(argument));

module.exports = {
  ...(named ? {} : { spec: ['dist/test/**/*.test.js'] }),
  reporter: 'scripts/mocha-reporter.cjs',
  timeout: 180000,
};
