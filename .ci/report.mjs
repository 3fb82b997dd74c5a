// report.mjs counts REPORT    prints how many tests passed, failed and were skipped.
// report.mjs failures REPORT  names each that failed, with the beginning of its message.
// For Vitest's JSON report. Runs on whatever Node the machine has.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'

const [wanted, file] = process.argv.slice(2)
const report = JSON.parse(readFileSync(file, 'utf8'))

if (wanted === 'counts') {
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests } = report
  process.stdout.write(`${numPassedTests} ${numFailedTests} ${numPendingTests + numTodoTests}\n`)
} else {
  for (const { name, status, message, assertionResults } of report.testResults) {
    const failed = assertionResults.filter((test) => test.status === 'failed')
    for (const { fullName, failureMessages } of failed) tell(name, fullName, failureMessages)
    // A file that does not load has no tests to blame.
    if (status === 'failed' && failed.length === 0) tell(name, 'the file itself', [message])
  }
}

function tell(path, what, messages) {
  const beginning = messages.join('\n').split('\n').slice(0, 12).join('\n    ')
  process.stdout.write(`${relative('.', path)}: ${what}\n    ${beginning}\n`)
}
