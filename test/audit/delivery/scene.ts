import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { AuditDelivery, type Delivered } from '../../../src/audit/delivery/deliver.ts'
import { destinationOf, registerDelivery, settingsOf } from '../../../src/audit/delivery/open.ts'
import { deliveryHealth, type AuditDeliveryHealth } from '../../../src/audit/delivery/health.ts'
import { exportNdjson } from '../../../src/audit/export/ndjson.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { configSchema, type AuditDeliveryConfig } from '../../../src/config/schema.ts'
import type { EventInput } from '../../../src/core/event.ts'
import type { Store } from '../../../src/store/db.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { anIntent, quiet, startReplica, until, type TestReplica } from '../../support/audit.ts'
import { atEnd, openTestStore } from '../../support/store.ts'

const signing = [generateKeyPairSync('ed25519').privateKey]

/** What `sallyport.yaml` says of a delivery. */
export function configured(delivery: object): AuditDeliveryConfig {
  const { deliveries } = configSchema.shape.audit.parse({ deliveries: { d: delivery } })
  return deliveries['d']!
}

interface Log {
  readonly store: Store
  readonly replica: TestReplica
  readonly sequencer: Sequencer
}

async function openLog(given?: Store): Promise<Log> {
  const store = given ?? (await openTestStore())
  const replica = await startReplica(store)
  const { audit } = replica
  const sequencer = new Sequencer({ store, signing, audit, log: quiet })
  atEnd(() => sequencer.close())
  return { store, replica, sequencer }
}

/** One for all tests of a file, since an embedded store takes seconds to open. */
let shared: Promise<Log> | null = null
let scenes = 0

/** A log, and deliveries of what comes into it from now on, which look for what is due all the time. */
export class Scene {
  readonly store: Store
  readonly replica: TestReplica
  /** The index of the first event that is delivered. */
  readonly first: number
  readonly attempts: Delivered[] = []
  readonly #name = `d${++scenes}`
  readonly #sequencer: Sequencer

  private constructor({ store, replica, sequencer }: Log, first: number) {
    this.store = store
    this.replica = replica
    this.first = first
    this.#sequencer = sequencer
  }

  /** On a store of the test's own, or the one of its file. */
  static async open(given?: Store): Promise<Scene> {
    const log = await (given ? openLog(given) : (shared ??= openLog()))
    const [tree] = await log.store.query<{ size: number }>('SELECT size FROM sallyport.audit_tree')
    return new Scene(log, tree!.size)
  }

  /** Appends so many events, or these, and signs them. */
  async grow(events: number | readonly EventInput[]): Promise<void> {
    const inputs =
      typeof events === 'number' ? Array.from({ length: events }, () => anIntent()) : events
    for (const input of inputs) await this.replica.audit.append(input)
    await this.#sequencer.seal()
  }

  /** Delivers what is there at once, as `sallyport.yaml` says, until it is stopped or the file ends. */
  async deliver(
    delivery: object,
    { name = this.#name, patience = 9_000 } = {},
  ): Promise<AuditDelivery> {
    const { store } = this
    const config = configured({ every: '0s', ...delivery })
    const destination = destinationOf(config)
    if (config.from === 'beginning')
      await store.query(
        `INSERT INTO sallyport.audit_deliveries (name, settings, cursor) VALUES ($1, '{}', $2) ON CONFLICT DO NOTHING`,
        [name, this.first],
      )
    await registerDelivery({ store, audit: this.replica.audit }, name, destination, config)
    const running = new AuditDelivery({
      ...{ name, destination, store, personal: config.personal },
      settings: settingsOf(destination, config),
      every: config.every,
      maxEvents: config.max_events,
      log: createLog('fatal'),
      onAttempt: (attempt) => this.attempts.push(attempt),
      times: { lookEvery: 20, patience, lease: 10_000, firstPause: 20, longestPause: 50 },
    })
    onTestFinished(() => running.stop())
    return running
  }

  /** Somebody sets the clock back by an hour: so far ahead is what was written down before. */
  async setClockBack(name = this.#name): Promise<void> {
    await this.store.query(
      `UPDATE sallyport.audit_deliveries
          SET due_at = clock_timestamp() + interval '1 hour', attempt = gen_random_uuid(),
              attempt_until = clock_timestamp() + interval '1 hour'
        WHERE name = $1`,
      [name],
    )
  }

  async health(name = this.#name): Promise<AuditDeliveryHealth> {
    const [health] = await deliveryHealth(this.store, [name])
    return health!
  }

  /** Waits until everything that is on record by now is delivered. */
  async delivered(name = this.#name): Promise<void> {
    await this.#sequencer.seal()
    await until(async () => (await this.health(name)).lag === 0)
  }

  /** The log as it is exported, from the first event up to where this delivery is. */
  async log(name = this.#name): Promise<string[]> {
    const { cursor } = await this.health(name)
    const lines: string[] = []
    for await (const line of exportNdjson(this.store, { first: this.first, end: cursor }))
      lines.push(line)
    return lines
  }
}

export const newFolder = (): string => mkdtempSync(join(tmpdir(), 'sallyport-delivery-'))

/** Names of what was delivered, in the order of names; without manifests. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.gz'))
    .toSorted()

/** The lines of all files of a folder, one file after the other. */
export function linesIn(folder: string): string[] {
  const texts = filesIn(folder).map((name) =>
    gunzipSync(readFileSync(join(folder, name))).toString(),
  )
  return texts.join('').trimEnd().split('\n')
}
