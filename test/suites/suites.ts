import { inGo } from './go.ts'
import { others } from './others.ts'
import { postgresql } from './postgresql.ts'
import { inPython } from './python.ts'
import type { Suite } from './suite.ts'

export const suites: Readonly<Record<string, Suite>> = {
  ...postgresql,
  ...inPython,
  ...inGo,
  ...others,
}
