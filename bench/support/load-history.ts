import { generateKeyPairSync, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { Client } from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { genesis, leafHash, linkHash } from '../../src/audit/chain.ts'
import { describe, type Described } from '../../src/audit/event.ts'
import { keepCheckpoint, keepSigningKey } from '../../src/audit/log/checkpoints.ts'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { randomFrom } from '../../test/support/random.ts'
import { history } from './history.ts'

/** PostgreSQL's own format for COPY (PostgreSQL 18, COPY, "Binary Format"): a fifth of the work of text, for both sides. */
class BinaryCopy {
  readonly #stream: Writable
  #chunk = Buffer.allocUnsafe(1 << 20)
  #used = 0

  constructor(client: Client, table: string, columns: string) {
    this.#stream = client.query(
      copyFrom(`COPY sallyport.${table} (${columns}) FROM STDIN (FORMAT binary)`),
    )
    this.#bytes(Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1'))
  }

  /** Begins a row of so many columns. */
  row(columns: number): void {
    this.#room(2)
    this.#used = this.#chunk.writeInt16BE(columns, this.#used)
  }

  nothing(): void {
    this.#int32(-1)
  }

  text(value: string | null | undefined): void {
    if (value === null || value === undefined) return this.nothing()
    const length = Buffer.byteLength(value)
    this.#int32(length)
    this.#room(length)
    this.#used += this.#chunk.write(value, this.#used)
  }

  hex(value: string | null | undefined): void {
    if (value === null || value === undefined) return this.nothing()
    this.#int32(value.length / 2)
    this.#room(value.length / 2)
    this.#used += this.#chunk.write(value, this.#used, 'hex')
  }

  uuid(value: string | null | undefined): void {
    this.hex(value?.replaceAll('-', ''))
  }

  bigint(value: number | null): void {
    if (value === null) return this.nothing()
    this.#int32(8)
    this.#room(8)
    this.#used = this.#chunk.writeBigInt64BE(BigInt(value), this.#used)
  }

  time(milliseconds: number): void {
    this.bigint((milliseconds - Date.UTC(2000, 0, 1)) * 1_000)
  }

  bytes(value: Buffer | null | undefined): void {
    if (!value) return this.nothing()
    this.#int32(value.length)
    this.#bytes(value)
  }

  uuids(values: readonly string[]): void {
    const uuid = 2950
    this.#int32(20 + 20 * values.length)
    for (const word of [1, 0, uuid, values.length, 1]) this.#int32(word)
    for (const value of values) this.uuid(value)
  }

  /** Sends what has come together, once it is worth it. */
  async flush(least = 1 << 18): Promise<void> {
    if (this.#used < least) return
    const full = this.#chunk.subarray(0, this.#used)
    this.#chunk = Buffer.allocUnsafe(1 << 20)
    this.#used = 0
    if (!this.#stream.write(full)) await once(this.#stream, 'drain')
  }

  async end(): Promise<void> {
    this.row(-1)
    await this.flush(0)
    this.#stream.end()
    await finished(this.#stream)
  }

  #int32(value: number): void {
    this.#room(4)
    this.#used = this.#chunk.writeInt32BE(value, this.#used)
  }

  #bytes(value: Buffer): void {
    this.#room(value.length)
    this.#used += value.copy(this.#chunk, this.#used)
  }

  #room(bytes: number): void {
    if (this.#used + bytes <= this.#chunk.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#chunk.length, this.#used + bytes))
    this.#chunk.copy(larger, 0, 0, this.#used)
    this.#chunk = larger
  }
}

/** Milliseconds from one event to the next: ten million in thirty days. */
const spacing = 259.2

/** A replica's chain as it is written down. */
class Chain {
  readonly replica = randomUUID()
  readonly epoch = 1
  #n = 0
  #head = genesis

  /** Links these, and gives what the tables want to know. */
  link(events: readonly Described[]) {
    const first = this.#n + 1
    const prev = this.#head
    const leaves: string[] = []
    const hashes: string[] = []
    for (const { body } of events) {
      const leaf = leafHash(body)
      this.#head = linkHash(
        { replica: this.replica, epoch: this.epoch, n: ++this.#n },
        this.#head,
        leaf,
      )
      leaves.push(leaf)
      hashes.push(this.#head)
    }
    return { first, prev, leaves: leaves.join(''), hashes: hashes.join('') }
  }
}

const columns = {
  audit_events:
    'id, time, type, replica, epoch, n, action, resource, decision, reason, approval, body, issuer, subject, salt, personal',
  audit_links: 'replica, epoch, first, events, leaves, prev, hashes, linked_at',
  audit_places: 'event, replica, epoch, n',
} as const

/**
 * Writes a month of made-up history into the empty database at `url`, as its owner: two replicas, whose chains, log and checkpoint are what the gateway would have
 * written. Events that share a commit are from 1 to 32.
 */
export async function loadHistory(
  url: string,
  count: number,
  say: (line: string) => void,
): Promise<void> {
  const store = await openPostgres(url)
  const to = Date.now() - 3_600_000
  const from = to - count * spacing
  const owner = new Client({ connectionString: url })
  await owner.connect()
  await owner.query('SET synchronous_commit = off; SET timezone = UTC')
  await providePartition(owner, new Date(from))
  const chains = [new Chain(), new Chain()]
  for (const { replica } of chains) {
    await owner.query(
      `INSERT INTO sallyport.replicas (replica, epoch, started_at, lease_until, closed_at) VALUES ($1, 1, $2, $3, $3)`,
      [replica, new Date(from), new Date(to)],
    )
  }
  const began = performance.now()
  await copyEvents(url, chains, history(count, { from, to, seed: 1 }))
  say(`${count} events copied, ${since(began)}`)
  const key = generateKeyPairSync('ed25519')
  const tree = await takeTurn(store, 0)
  await keepSigningKey(store, tree!.origin, key.publicKey)
  await keepCheckpoint(store, tree!, [key.privateKey])
  // Exports of a part cut by when an event came into the log: as if that had been at its own time, and not now.
  await owner.query(`ALTER TABLE sallyport.audit_tree_stretches DISABLE TRIGGER append_only;
    UPDATE sallyport.audit_tree_stretches s SET sequenced_at = l.linked_at + interval '1 s'
      FROM sallyport.audit_links l WHERE (l.replica, l.epoch, l.first) = (s.replica, s.epoch, s.first);
    ALTER TABLE sallyport.audit_tree_stretches ENABLE ALWAYS TRIGGER append_only`)
  say(`${tree!.size} in the log and signed, ${since(began)}`)
  await owner.query('VACUUM ANALYZE')
  await owner.end()
  await store.end()
}

async function copyEvents(
  url: string,
  chains: readonly Chain[],
  happenings: ReturnType<typeof history>,
) {
  const clients = await Promise.all(
    Object.keys(columns).map(async () => {
      const client = new Client({ connectionString: url })
      await client.connect()
      await client.query('SET synchronous_commit = off')
      return client
    }),
  )
  const [events, links, places] = Object.entries(columns).map(
    ([table, names], i) => new BinaryCopy(clients[i]!, table, names),
  ) as [BinaryCopy, BinaryCopy, BinaryCopy]
  const random = randomFrom(2)
  const oneOf = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  let next = happenings.next()
  while (!next.done) {
    const chain = oneOf(chains)
    const batch: { described: Described; edge: boolean }[] = []
    const size = 1 + Math.floor(random() * 32)
    let at = 0
    for (; batch.length < size && !next.done; next = happenings.next()) {
      at = next.value.at
      batch.push({ described: describe(next.value.input, chain, at), edge: next.value.edge })
    }
    const { first, prev, leaves, hashes } = chain.link(batch.map(({ described }) => described))
    for (const [i, { described, edge }] of batch.entries()) {
      writeEvent(events, described, edge ? null : first + i)
      if (edge) writePlace(places, described.id, chain, first + i)
    }
    links.row(8)
    links.uuid(chain.replica)
    links.bigint(chain.epoch)
    links.bigint(first)
    links.uuids(batch.map(({ described }) => described.id))
    links.hex(leaves)
    links.hex(prev)
    links.hex(hashes)
    links.time(Math.round(at))
    await Promise.all([events.flush(), links.flush(), places.flush()])
  }
  await Promise.all([events.end(), links.end(), places.end()])
  for (const client of clients) await client.end()
}

function writeEvent(
  copy: BinaryCopy,
  { id, time, source, input, body, personal }: Described,
  n: number | null,
): void {
  copy.row(16)
  copy.uuid(id)
  copy.time(time)
  copy.text(input.type)
  copy.uuid(source.replica)
  copy.bigint(source.epoch)
  copy.bigint(n)
  copy.uuid(input.action?.id)
  copy.text(input.resource)
  copy.text(input.decision)
  copy.text(input.reason)
  copy.uuid(input.approval)
  copy.text(body)
  copy.text(input.subject?.issuer)
  copy.text(input.subject?.subject)
  copy.bytes(personal?.salt)
  copy.text(personal?.body)
}

function writePlace(copy: BinaryCopy, event: string, chain: Chain, n: number): void {
  copy.row(4)
  copy.uuid(event)
  copy.uuid(chain.replica)
  copy.bigint(chain.epoch)
  copy.bigint(n)
}

/** The month in which it begins: the gateway makes those that come. */
async function providePartition(owner: Client, from: Date): Promise<void> {
  const month = from.toISOString().slice(0, 7)
  const table = `sallyport.audit_events_${month.replace('-', '_')}`
  await owner.query(`DO $$
    BEGIN
      IF to_regclass('${table}') IS NULL THEN
        EXECUTE format('CREATE TABLE ${table} PARTITION OF sallyport.audit_events FOR VALUES FROM (%L) TO (%L)',
          sallyport.audit_first_id('${month}-01'), sallyport.audit_first_id(timestamptz '${month}-01' + interval '1 month'));
        PERFORM sallyport.audit_protect('${table}', 'audit_is_erased_only');
      END IF;
    END $$`)
}

function since(began: number): string {
  return `${((performance.now() - began) / 1_000).toFixed(1)} s`
}
