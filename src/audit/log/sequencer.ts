import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import type { AuditLog } from '../append.ts'
import { keepCheckpoint, keepSigningKey, type KeptCheckpoint } from './checkpoints.ts'
import { reopenChains } from './reopen-chains.ts'
import { takeTurn, type Tree } from './sequence.ts'

/**
 * In milliseconds: between two turns of any replica, and the age at which the newest checkpoint is
 * signed again.
 */
const turnEvery = 1_000
const signEvery = 4_000

export interface SequencerDeps {
  readonly store: Store
  /**
   * The newest first; each of them signs. Another list whenever they change; nothing is signed
   * while it is empty.
   */
  readonly signing: readonly KeyObject[]
  readonly log: Log
  readonly audit: Pick<AuditLog, 'write' | 'linkWritten'>
  /** Hears of every checkpoint, after it is kept. */
  readonly onCheckpoint?: (checkpoint: KeptCheckpoint) => void
}

/**
 * Takes what is durable into the log, about once a second, and signs a checkpoint of it at least
 * every five, also when nothing has come. Every replica tries; one at a time does. Signed is only
 * what is committed.
 */
export class Sequencer {
  readonly #deps: SequencerDeps
  readonly #timer: NodeJS.Timeout
  // Owned by turn().
  #running: Promise<void> | null = null
  #signed = { size: -1, at: -Infinity }
  #keysKept: readonly KeyObject[] | null = null
  #looked = false

  constructor(deps: SequencerDeps) {
    this.#deps = deps
    this.#timer = setInterval(() => void this.turn(), turnEvery)
  }

  /** Never rejects: what is not in the log yet is durable, and stays next in line. */
  turn(): Promise<void> {
    this.#running ??= this.#turn().finally(() => (this.#running = null))
    return this.#running
  }

  /** Takes everything in that is durable by now, and signs it. Rejects with `StoreError`. */
  async seal(): Promise<void> {
    const { store } = this.#deps
    const tree = await takeTurn(store, 0)
    if (tree) await this.#sign(tree)
  }

  /**
   * A last turn, so that what this replica did is in the log and signed, as far as the store
   * answers.
   */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
    await this.seal().catch((error: unknown) => this.#late(error))
  }

  async #turn(): Promise<void> {
    const { store } = this.#deps
    try {
      if (!this.#looked) await this.#lookAgain()
      // Less than the time between two turns: counted is from the end of the last one.
      const tree = await takeTurn(store, turnEvery / 2)
      if (tree) await this.#sign(tree)
    } catch (error) {
      this.#late(error)
    }
  }

  /** Once in a process. */
  async #lookAgain(): Promise<void> {
    const { store, log } = this.#deps
    const chains = await reopenChains(store)
    this.#looked = true
    if (chains > 0)
      log.error({ chains }, 'chains of the audit log were noted as over, and are not: somebody did')
  }

  #late(error: unknown): void {
    this.#deps.log.warn({ err: error }, 'the transparency log is late; trying again')
  }

  async #sign(tree: Tree): Promise<void> {
    const { store, signing, onCheckpoint } = this.#deps
    if (signing.length === 0) return
    const now = performance.now()
    if (tree.size === this.#signed.size && now - this.#signed.at < signEvery) return
    await this.#keepKeys(tree, signing)
    const kept = await keepCheckpoint(store, tree, signing)
    this.#signed = { size: tree.size, at: now }
    onCheckpoint?.(kept)
  }

  /** A key that was never used before is on record before its first signature. */
  async #keepKeys({ origin }: Tree, signing: readonly KeyObject[]): Promise<void> {
    if (this.#keysKept === signing) return
    const { store, audit } = this.#deps
    await store.tx(async (tx) => {
      for (const signer of signing.toReversed()) {
        const key = await keepSigningKey(tx, origin, createPublicKey(signer))
        if (key) await audit.write(tx, { type: 'audit.signing_key_used', details: { key } })
      }
    })
    audit.linkWritten()
    this.#keysKept = signing
  }
}
