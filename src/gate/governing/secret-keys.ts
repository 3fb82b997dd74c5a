import { createPublicKey, type KeyObject } from 'node:crypto'
import type { Approval } from '../../approvals/approval.ts'
import type { AuditLog } from '../../audit/append.ts'
import { keyId } from '../../config/keyring.ts'
import type { Secrets } from '../../config/secrets.ts'
import { MistakesError } from '../../core/errors.ts'
import type { Subject } from '../../core/subject.ts'
import type { Queryable, Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { isWithheld } from './authorize-files.ts'
import type { GateContext } from '../context.ts'
import type { ErrandWork } from './errands.ts'
import { filesSubject } from './files-subject.ts'
import { Follower } from '../in-force/follower.ts'
import { govern } from './govern.ts'

const channel = 'sallyport_secret_keys'

/** A key, identified by a hash that does not reveal it. */
type NamedKey = {
  readonly purpose: 'cookies' | 'sealing' | 'signing'
  readonly key: string
  /** RFC 3339; absent where the file does not say. */
  readonly made_at?: string
}

interface Deps {
  readonly file: string
  readonly secrets: Secrets
  readonly store: Store
  readonly log: Log
}

/**
 * The keys of the secrets file that are in use on all replicas. New keys in a replica's file are
 * proposed when it starts, and neither sign nor open anything until the policies allow them or
 * people have approved them.
 */
export class SecretKeys {
  readonly #deps: Deps
  readonly #named: readonly NamedKey[]
  readonly #follower: Follower
  // Owned by #take().
  #inUse: ReadonlyMap<string, Date> = new Map()
  #signing: readonly KeyObject[] = []
  // Owned by onSigning(): called when `signing` changes.
  #onSigning: () => void = () => undefined
  // Owned by #settle(): everything new in the file has been proposed.
  #settled = false
  #propose: ((fresh: readonly NamedKey[]) => Promise<boolean>) | null = null

  private constructor(deps: Deps) {
    this.#deps = deps
    this.#named = namesOf(deps.secrets)
    this.#follower = new Follower(deps.store, channel, () => this.#look())
  }

  /**
   * Opens the keys. On a store that knows no keys, all keys of the file are in use, because there
   * is nobody yet who could be asked.
   */
  static async open(deps: Deps): Promise<SecretKeys> {
    const keys = new SecretKeys(deps)
    const known = await readInUse(deps.store)
    if (known.size === 0) await keepInUse(deps.store, keys.#named, null)
    keys.#take(known.size === 0 ? await readInUse(deps.store) : known)
    return keys
  }

  /** The keys that sign checkpoints, the newest first. A new list whenever they change. */
  get signing(): readonly KeyObject[] {
    return this.#signing
  }

  /** Calls `heard` whenever the signing keys change. */
  onSigning(heard: () => void): void {
    this.#onSigning = heard
  }

  /**
   * Proposes the new keys in the file. Rejects with a `MistakesError` if none of its keys is in use
   * after that, since no session or kept answer could be opened.
   */
  async start(context: GateContext, adminGroup: () => string | undefined): Promise<void> {
    const { log, file } = this.#deps
    this.#propose = async (fresh) => {
      const subject = filesSubject('secrets', adminGroup())
      if (await isWithheld(log, 'there are new secrets', ask(context, subject, fresh))) return false
      await context.store.tx((tx) =>
        putInUse(tx, context.audit, fresh, { subject, approval: null }),
      )
      this.announce(context.audit)
      return true
    }
    await this.#follower.start()
    const { cookies, sealing } = this.#deps.secrets
    if (cookies.all.length > 0 && sealing.all.length > 0 && this.#signing.length > 0) return
    const message = 'None of the keys in the secrets file is in use, and these are not to be.'
    const remedy =
      'Restore the file that was in use; or have the new keys approved at another replica, and start again.'
    throw new MistakesError([{ file, message, remedy }])
  }

  close(): Promise<void> {
    return this.#follower.stop()
  }

  /**
   * Notifies other replicas, after the commit. Only a hint: whoever misses it looks once a second.
   */
  announce(audit: AuditLog): void {
    const { store, log } = this.#deps
    audit.linkWritten()
    store.notify(channel, '').catch((error: unknown) => {
      log.warn({ err: error }, 'other replicas were not notified of new keys; they will look')
    })
  }

  async #look(): Promise<void> {
    const { store, log } = this.#deps
    try {
      if (!this.#settled) await this.#settle()
      const inUse = await readInUse(store)
      if (inUse.size !== this.#inUse.size) this.#take(inUse)
    } catch (error) {
      // Closed: the keys that were in use stay in use, and no others.
      log.warn({ err: error }, 'the keys in use could not be looked up; trying again')
    }
  }

  async #settle(): Promise<void> {
    const inUse = await readInUse(this.#deps.store)
    const fresh = this.#named.filter(({ key }) => !inUse.has(key))
    if (fresh.length > 0) await this.#propose?.(fresh)
    this.#settled = true
  }

  #take(inUse: ReadonlyMap<string, Date>): void {
    const { cookies, sealing, signing } = this.#deps.secrets
    this.#inUse = inUse
    for (const keyring of [cookies, sealing]) keyring.use(inUse)
    this.#signing = signing.filter((key) => inUse.has(signerId(key)))
    this.#onSigning()
  }
}

function namesOf({ cookies, sealing, signing }: Secrets): NamedKey[] {
  const made = (at: Date) => at.getTime() > 0 && { made_at: at.toISOString() }
  return [
    ...cookies.all.map((it) => ({ purpose: 'cookies', key: keyId(it.key), ...made(it.madeAt) })),
    ...sealing.all.map((it) => ({ purpose: 'sealing', key: keyId(it.key), ...made(it.madeAt) })),
    ...signing.map((it) => ({ purpose: 'signing', key: signerId(it) })),
  ] as NamedKey[]
}

const signerId = (key: KeyObject) =>
  keyId(createPublicKey(key).export({ format: 'der', type: 'spki' }))

function ask(
  context: GateContext,
  subject: Subject,
  keys: readonly NamedKey[],
): Promise<Approval | null> {
  const operation = 'secrets.rotate'
  const target = keys.map(({ key }) => key).join(' ')
  const payload = { operation, keys: keys.map((it) => ({ ...it })) }
  return govern(context, { operation, subject, target, summary: operation, payload })
}

/** Takes approved keys into use. */
export function secretsErrand(audit: AuditLog, keys: SecretKeys): ErrandWork {
  const asked = ({ payload }: Approval) => (payload as unknown as { keys: NamedKey[] }).keys
  return {
    obstacle: async () => null,
    async run({ tx }, approval) {
      const { id, action } = approval
      await putInUse(tx, audit, asked(approval), { subject: action.subject, approval: id })
      return () => keys.announce(audit)
    },
  }
}

async function putInUse(
  tx: Queryable,
  audit: AuditLog,
  keys: readonly NamedKey[],
  { subject, approval }: { readonly subject: Subject; readonly approval: string | null },
): Promise<void> {
  const kept = await keepInUse(tx, keys, approval)
  // Another replica with the same file was faster, and has put this on record.
  if (kept.size === 0) return
  const fresh = keys.filter(({ key }) => kept.has(key)).map((it) => ({ ...it }))
  await audit.write(tx, {
    type: 'secrets.rotated',
    subject,
    ...(approval !== null && { approval }),
    details: { keys: fresh },
  })
}

/** Resolves to the keys that were not in use before. */
async function keepInUse(
  db: Queryable,
  keys: readonly NamedKey[],
  approval: string | null,
): Promise<ReadonlySet<string>> {
  const rows = await db.query<{ id: string }>(
    `INSERT INTO sallyport.secret_keys (id, purpose, approval)
     SELECT id, purpose, $3 FROM unnest($1::text[], $2::text[]) AS n (id, purpose)
     ON CONFLICT DO NOTHING RETURNING id`,
    [keys.map(({ key }) => key), keys.map(({ purpose }) => purpose), approval],
  )
  return new Set(rows.map(({ id }) => id))
}

async function readInUse(db: Queryable): Promise<ReadonlyMap<string, Date>> {
  const rows = await db.query<{ id: string; since: Date }>(
    'SELECT id, in_use_since AS since FROM sallyport.secret_keys',
  )
  return new Map(rows.map(({ id, since }) => [id, since]))
}
