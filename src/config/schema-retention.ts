import { z } from 'zod'
import { duration } from './duration.ts'

export const retention = z
  .strictObject({
    keep: duration
      .optional()
      .describe(
        'how long each event stays in the database at least, as in 400d: a month that is older, and kept elsewhere, may be taken out with `sallyport audit retain`; left out, all of them stay',
      ),
  })
  .prefault({})
  .describe('how long the log is in the database; its hashes and proofs stay for good')
