import { compilePolicies } from '../policy/compile.ts'
import { readPolicyFolder } from '../policy/load.ts'
import { runPolicyTests, type TestResult } from '../policy/test-runner.ts'
import { policySource, type PolicyOptions } from './policy-source.ts'

/** Runs every test of a folder of policies. */
export async function runTests(
  start: string,
  named: string | undefined,
  options: PolicyOptions,
): Promise<readonly TestResult[]> {
  const { folder, known } = policySource(start, named, options)
  const { policies, tests } = await readPolicyFolder(folder)
  return runPolicyTests(tests, compilePolicies(policies, known))
}
