import { readFileSync } from 'node:fs'
import { Pool, type PoolClient, type PoolConfig } from 'pg'
import type { PostgresResource } from '../../config/schema.ts'
import type { Log } from '../../telemetry/log.ts'
import { Catalogues } from './sql/catalogues.ts'
import { Impacts } from './sql/impact.ts'
import type { CatalogueSource, Probe } from './sql/statement.ts'

/** Milliseconds until there has to be a connection. */
const patience = 15_000
/**
 * Milliseconds until a question about the catalogue has to be answered, and those that have gone
 * out with it.
 */
const answered = 30_000

/**
 * Milliseconds that a connection which has no more to ask stays open. DROP DATABASE, and CREATE
 * DATABASE from it as a template, wait five seconds for others to leave (PostgreSQL's
 * CountOtherDBBackends), and then refuse.
 */
const lingering = 2_000

/**
 * What is known of the catalogue of each database of a resource; asked for over a connection of the
 * gateway's own, with the resource's credential.
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
   * Over another connection: it works in transactions, which questions about the catalogue must not
   * get into.
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
   * For questions that are not about the catalogue as it was at one moment, and do not wait for it
   * to be read.
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
    // A connection that breaks while nobody uses it: the next question opens another.
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
        // Everything as the server prints it.
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
  // If it breaks, the next question says so.
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
    // Questions that do not wait for each other go out together.
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
