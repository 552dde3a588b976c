'use strict';
/** Prints the closing line `N passed, N failed` that continuous integration reads; what was skipped stands in the line before. */
module.exports = class TallyReporter {
  onRunComplete(_contexts, results) {
    // A suite that could not even load counts as a failure: "no test ran" must never read as "nothing failed".
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    process.on('exit', () => process.stdout.write(`\n${skipped ? `${skipped} skipped\n` : ''}${results.numPassedTests} passed, ${failed} failed\n`));
  }
};
