/** The package has no types of its own. What node-postgres's `query` takes, and what COPY is written to, or read from. */
declare module 'pg-copy-streams' {
  import type { Readable, Writable } from 'node:stream'
  import type { Connection, Submittable } from 'pg'

  export function from(text: string): Writable & Submittable & { submit(to: Connection): void }
  export function to(text: string): Readable & Submittable & { submit(to: Connection): void }
}
