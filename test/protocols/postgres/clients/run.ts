import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { text } from 'node:stream/consumers'
import type { Address } from './matrix.ts'

const root = fileURLToPath(new URL('../../../../', import.meta.url))

export interface Ran {
  readonly code: number | null
  readonly out: string
  readonly notes: string
}

/** libpq's variables. Whatever else is set on this machine stays out of it. */
export const variables = ({ host, port, database, user, password }: Address) => ({
  PATH: process.env['PATH'],
  PGHOST: host,
  PGPORT: String(port),
  PGDATABASE: database,
  PGUSER: user,
  PGPASSWORD: password,
  PGSSLMODE: 'disable',
})

/** Runs a client to its end, in the folder of this repository, as somebody who is told this address. */
export async function run(
  program: string,
  args: readonly string[],
  address: Address,
  input = '',
): Promise<Ran> {
  const child = spawn(program, args, { cwd: root, env: variables(address) })
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  const [out, notes] = [text(child.stdout), text(child.stderr)]
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, out: await out, notes: await notes }
}
