import type { Attempt } from '../../src/gate/attempt.ts'
import { issuePermit, type Permit } from '../../src/gate/permit.ts'
import type { JsonObject } from '../../src/core/json.ts'

const done = Promise.resolve()

/** Permits everything, and remembers nothing: what is left of the time of a request is that of its protocol. */
export const allowingGate = {
  needs: () => ({ body: false, columns: false, facts: [] }),
  enforce: async ({ action, caller }: Attempt): Promise<Permit> =>
    issuePermit({
      action,
      digest: null,
      recorded: done,
      valid: () => !caller.aborted,
      complete: () => done,
    }),
  refused: (): void => {},
  whyEnded: async (): Promise<null> => null,
  task: async (): Promise<JsonObject> => ({}),
  response: () => Promise.reject(new Error('nothing is held here')),
  cancel: async (): Promise<JsonObject> => ({}),
}
