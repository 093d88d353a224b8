/**
 * Prints the tests that failed, and as the last line `N passed, N failed`. A test that runs again
 * counts once as passed. A file that fails outside its tests counts as one failure.
 *
 * node .ci/count.ts <report of Vitest>...
 */
import { readFileSync } from "node:fs";

type Report = {
  numPassedTests: number;
  testResults: {
    name: string;
    status: string;
    message: string;
    assertionResults: { status: string; fullName: string; failureMessages: string[] }[];
  }[];
};

const reports = process.argv.slice(2).map((file) => {
  return JSON.parse(readFileSync(file, "utf8")) as Report;
});
const failures = reports.flatMap(({ testResults }) =>
  testResults.flatMap(({ name, status, message, assertionResults }) => {
    const failed = assertionResults
      .filter((test) => test.status === "failed")
      .map((test) => `${name}: ${test.fullName}\n  ${test.failureMessages.join("\n  ")}`);
    return failed.length === 0 && status === "failed" ? [`${name}: ${message}`] : failed;
  }),
);
for (const failure of failures) console.log(failure);
console.log(`${reports[0]?.numPassedTests ?? 0} passed, ${failures.length} failed`);
