// count-tests.js <Jest's JSON report> <Jest's exit code>: prints how many tests passed and how many failed.
import { readFileSync } from 'node:fs';

const [report, code] = process.argv.slice(2);

function countTests() {
  let result;
  try {
    result = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    return [0, 1]; // Jest did not come so far as to write one, and has said why
  }
  const skipped = result.numPendingTests + result.numTodoTests;
  if (skipped > 0) console.error(`${skipped} tests were skipped`);
  // a file that cannot be loaded has no tests to fail
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  // what fails beside the tests, or that there are none, is a failure of its own
  const unsaid = failed === 0 && (code !== '0' || result.numPassedTests === 0) ? 1 : 0;
  return [result.numPassedTests, failed + unsaid];
}

console.log(countTests().join(' '));
