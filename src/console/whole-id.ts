import { z } from 'zod'

/** An id that somebody gives: people paste halves of them. */
export const wholeId = z.uuid(
  'Write the whole id, 36 characters: 0199f000-0000-7000-8000-000000000001.',
)
