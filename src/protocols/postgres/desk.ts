import type { Copying } from './copying.ts'
import type { Course } from './course.ts'
import type { Functions } from './functions.ts'
import type { Judge } from './judge.ts'
import type { Ledger } from './ledger.ts'
import type { Run } from './run.ts'
import type { ServerSide } from './server-side.ts'
import type { SessionNames } from './session-names.ts'

/** The tools that work on one client's messages. All of them belong to its session. */
export interface Desk {
  readonly server: ServerSide
  readonly names: SessionNames
  readonly ledger: Ledger
  readonly judge: Judge
  readonly functions: Functions
  readonly course: Course
  readonly copying: Copying
  /** A read has been sent, and its record is under way. */
  readonly sent: (run: Run) => void
}
