import { readFileSync } from 'node:fs'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import type { PostgresResource } from '../../config/schema.ts'
import type { Log } from '../../telemetry/log.ts'
import { Catalogues } from './sql/catalogues.ts'
import { Impacts } from './sql/impact.ts'
import type { CatalogueSource, Probe } from './sql/statement.ts'

/** Milliseconds within which a connection has to be made. */
const patience = 15_000
/**
 * Milliseconds within which a question about the catalogue has to be answered, together with those
 * sent along with it.
 */
const answered = 30_000

/**
 * Milliseconds that an idle connection stays open. DROP DATABASE, and CREATE DATABASE with a
 * template, wait five seconds for other sessions to leave (PostgreSQL's CountOtherDBBackends), and
 * then fail.
 */
const lingering = 2_000

/**
 * What is known of the catalogue of each database of a resource. The gateway asks over connections
 * of its own, with the resource's credential.
 */
export class Databases {
  readonly #config: PostgresResource
  readonly #log: Log
  readonly #pools: Pool[] = []
  readonly #probes = new Map<string, Probe>()
  readonly #known = new Map<string, CatalogueSource>()
  readonly #impacts = new Map<string, Impacts>()

  constructor(config: PostgresResource, log: Log) {
    this.#config = config
    this.#log = log
  }

  get(database: string): CatalogueSource {
    const known = this.#known.get(database)
    if (known) return known
    const pool = this.#pool(database)
    const resource = this.#config.name
    const made = new Catalogues(
      { within: (work) => within(pool, work) },
      {
        onError: (err) =>
          this.#log.warn(
            { err, resource, database },
            'the catalogue cannot be read: until it can, no name in a statement is known',
          ),
      },
    )
    this.#known.set(database, made)
    return made
  }

  /**
   * Has a connection of its own: it works in transactions, which no question about the catalogue
   * may end up in.
   */
  impacts(database: string): Impacts {
    const known = this.#impacts.get(database)
    if (known) return known
    const pool = this.#pool(database)
    const made = new Impacts({ within: (work) => within(pool, work) })
    this.#impacts.set(database, made)
    return made
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.end()))
  }

  /**
   * For questions that need no consistent view of the catalogue, and so do not wait for it to be
   * read.
   */
  probe(database: string): Probe {
    const known = this.#probes.get(database)
    if (known) return known
    const made = probeOf(this.#pool(database))
    this.#probes.set(database, made)
    return made
  }

  #pool(database: string): Pool {
    const { name } = this.#config
    const pool = new Pool(poolConfig(this.#config, database))
    // An idle connection broke. The next question opens another.
    pool.on('error', (error) =>
      this.#log.info({ err: error, resource: name }, 'the connection for the catalogue broke'),
    )
    this.#pools.push(pool)
    return pool
  }
}

function probeOf(connection: Pool | PoolClient): Probe {
  return {
    query: async (text, values) => {
      const { rows } = await connection.query<Record<string, string | null>>({
        text,
        values: [...values],
        // Values stay text, as the server prints them.
        types: { getTypeParser: () => (value: string) => value },
      })
      return rows
    },
  }
}

async function within<Result>(
  pool: Pool,
  work: (probe: Probe) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  let broken = true
  // Without a listener Node would throw. The query that is under way, or the next, rejects anyway.
  const onError = (): void => undefined
  client.on('error', onError)
  try {
    const result = await work(probeOf(client))
    broken = false
    return result
  } finally {
    client.off('error', onError)
    client.release(broken)
  }
}

function poolConfig({ upstream, credential, ca }: PostgresResource, database: string): PoolConfig {
  const { host, port, tls } = upstream
  return {
    host,
    port,
    database,
    ...credential,
    max: 1,
    // Independent questions go out together.
    pipeline: true,
    idleTimeoutMillis: lingering,
    connectionTimeoutMillis: patience,
    query_timeout: answered,
    application_name: 'sallyport',
    ssl: tls !== 'disable' && {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca !== undefined && { ca: readFileSync(ca, 'utf8') }),
      ...(tls === 'verify-ca' && { checkServerIdentity: () => undefined }),
    },
  }
}
