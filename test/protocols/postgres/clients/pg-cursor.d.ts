/** The package has no types of its own. */
declare module 'pg-cursor' {
  import type { Connection, Submittable } from 'pg'

  export default class Cursor<Row> implements Submittable {
    constructor(text: string, values?: unknown[])
    submit(to: Connection): void
    read(rows: number): Promise<Row[]>
    close(): Promise<void>
  }
}
