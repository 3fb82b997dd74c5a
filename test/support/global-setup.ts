import type { TestProject } from 'vitest/node'
import { openPostgres } from '../../src/store/postgres.ts'
import { findPostgres, PostgresServer } from './postgres.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run, with the user that owns the databases, or `null` where only the embedded store is tested. */
    postgres: { server: string; template: string } | null
  }
}

const asked = process.env['SALLYPORT_TEST_STORE']

/** Starts one PostgreSQL for the whole run, where there is one or one is asked for. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  if (asked !== undefined && asked !== 'embedded' && asked !== 'postgres') {
    throw new Error(`SALLYPORT_TEST_STORE is embedded or postgres, not ${asked}`)
  }
  if (asked === 'embedded' || (!asked && !findPostgres())) {
    project.provide('postgres', null)
    return async () => {}
  }
  const server = await PostgresServer.start(['max_connections=200', 'shared_buffers=64MB'])
  const template = await openPostgres(await server.createDatabase('template_sallyport'))
  await template.end()
  project.provide('postgres', {
    server: server.url('postgres', 'postgres'),
    template: 'template_sallyport',
  })
  return () => server.remove()
}
