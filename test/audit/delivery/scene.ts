import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { AuditDelivery, type Delivered } from '../../../src/audit/delivery/deliver.ts'
import { destinationOf, registerDelivery } from '../../../src/audit/delivery/open.ts'
import { deliveryHealth, type AuditDeliveryHealth } from '../../../src/audit/delivery/health.ts'
import { exportNdjson } from '../../../src/audit/export/ndjson.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { configSchema, type AuditDeliveryConfig } from '../../../src/config/schema.ts'
import type { EventInput } from '../../../src/core/event.ts'
import type { Store } from '../../../src/store/db.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { anIntent, quiet, startReplica, until, type TestReplica } from '../../support/audit.ts'
import { openTestStore } from '../../support/store.ts'

const signing = [generateKeyPairSync('ed25519').privateKey]

/** What `sallyport.yaml` says of a delivery. */
export function configured(delivery: object): AuditDeliveryConfig {
  const { deliveries } = configSchema.shape.audit.parse({ deliveries: { d: delivery } })
  return deliveries['d']!
}

/** A log, and deliveries of it that look for what is due all the time. */
export class Scene {
  readonly store: Store
  readonly replica: TestReplica
  readonly attempts: Delivered[] = []
  readonly #sequencer: Sequencer

  private constructor(store: Store, replica: TestReplica) {
    this.store = store
    this.replica = replica
    const { audit } = replica
    this.#sequencer = new Sequencer({ store, signing, audit, log: quiet })
    onTestFinished(() => this.#sequencer.close())
  }

  static async open(given?: Store): Promise<Scene> {
    const store = given ?? (await openTestStore())
    return new Scene(store, await startReplica(store))
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
    { name = 'd', lease = 10_000 }: { name?: string; lease?: number } = {},
  ): Promise<AuditDelivery> {
    const { store } = this
    const config = configured({ every: '0s', ...delivery })
    const destination = destinationOf(config)
    await registerDelivery({ store, audit: this.replica.audit }, name, destination, config)
    const running = new AuditDelivery({
      ...{ name, destination, store, personal: config.personal },
      every: config.every,
      maxEvents: config.max_events,
      log: createLog('fatal'),
      onAttempt: (attempt) => this.attempts.push(attempt),
      times: { lookEvery: 20, patience: lease - 100, lease, firstPause: 20, longestPause: 50 },
    })
    onTestFinished(() => running.stop())
    return running
  }

  async health(name = 'd'): Promise<AuditDeliveryHealth> {
    const [health] = await deliveryHealth(this.store, [name])
    return health!
  }

  /** Waits until everything that is on record by now is delivered. */
  async delivered(name = 'd'): Promise<void> {
    await this.#sequencer.seal()
    await until(async () => (await this.health(name)).lag === 0)
  }

  /** The log as it is exported, up to where this delivery is. */
  async log(name = 'd'): Promise<string[]> {
    const { cursor } = await this.health(name)
    const lines: string[] = []
    for await (const line of exportNdjson(this.store, { first: 0, end: cursor })) lines.push(line)
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
