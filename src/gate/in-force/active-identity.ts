import type { AuditLog } from '../../audit/append.ts'
import type { Config } from '../../config/schema.ts'
import {
  governedIdentity,
  hashOfIdentity,
  identityInForce,
  type GovernedIdentity,
} from '../../identity/governed.ts'
import { StoreError, type Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { isWithheld } from '../governing/authorize-files.ts'
import type { GateContext } from '../context.ts'
import { Follower } from './follower.ts'
import { authorizeIdentity, configurationSubject } from '../governing/identity-errand.ts'
import {
  activateIdentity,
  identityChannel,
  isAlone,
  readIdentity,
  wasReplaced,
  type IdentityGeneration,
} from './identity-generations.ts'

type Identity = Config['identity']

interface Deps {
  /** The identity section of this replica's configuration. */
  readonly own: Identity
  readonly replica: string
  readonly store: Store
  readonly audit: AuditLog
  readonly log: Log
}

/**
 * The identity settings that are in force for all replicas. If this replica's configuration
 * differs, its settings are proposed at start, and count once the policies allow it or people have
 * approved it. To be read anew each time, because they change.
 */
export class ActiveIdentity implements Identity {
  readonly #deps: Deps
  readonly #proposal: GovernedIdentity
  // Owned by #take().
  #generation: IdentityGeneration
  #inForce: Identity
  // Owned by #settle(): the proposal of this replica has been dealt with.
  #settled = false
  readonly #listeners: ((identity: Identity) => void)[] = []
  #context: GateContext | null = null
  readonly #follower: Follower

  private constructor(deps: Deps, proposal: GovernedIdentity, generation: IdentityGeneration) {
    this.#deps = deps
    this.#proposal = proposal
    this.#generation = generation
    this.#inForce = identityInForce(deps.own, generation.document)
    this.#follower = new Follower(deps.store, identityChannel, () => this.#follow())
  }

  /**
   * Loads what is in force. On an empty store that is the configuration, because there is nobody
   * yet who could be asked.
   */
  static async open(deps: Deps): Promise<ActiveIdentity> {
    const proposal = governedIdentity(deps.own)
    const found = (await readIdentity(deps.store)) ?? (await begin(deps, proposal))
    return new ActiveIdentity(deps, proposal, found)
  }

  get roles(): Identity['roles'] {
    return this.#inForce.roles
  }
  get login(): Identity['login'] {
    return this.#inForce.login
  }
  get issuers(): Identity['issuers'] {
    return this.#inForce.issuers
  }
  get certificates(): Identity['certificates'] {
    return this.#inForce.certificates
  }
  get events(): Identity['events'] {
    return this.#inForce.events
  }

  /** Called after each change. */
  onChange(listener: (identity: Identity) => void): void {
    this.#listeners.push(listener)
  }

  /** Proposes the configuration if it differs, and from now on follows what is in force. */
  async start(context: GateContext): Promise<void> {
    this.#context = context
    await this.#follower.start()
  }

  close(): Promise<void> {
    return this.#follower.stop()
  }

  /**
   * Notifies other replicas, after the commit. Only a hint: whoever misses it looks once a second.
   */
  announce(): void {
    const { store, audit, log } = this.#deps
    audit.linkWritten()
    store.notify(identityChannel, '').catch((error: unknown) => {
      log.warn({ err: error }, 'other replicas were not notified of the identity; they will look')
    })
  }

  async #follow(): Promise<void> {
    const { store, log } = this.#deps
    try {
      if (!this.#settled) await this.#settle()
      const found = await readIdentity(store)
      // Nothing is found if the owner of the tables has deleted it all. The next replica that
      // starts begins anew, and this one will follow.
      if (!found || isSame(found, this.#generation)) return
      this.#take(found)
    } catch (error) {
      // Closed: what was in force stays in force here, and the configuration counts no more than
      // before.
      log.warn({ err: error }, 'the identity in force could not be looked up; trying again')
    }
  }

  #take(found: IdentityGeneration): void {
    const { own, log } = this.#deps
    this.#inForce = identityInForce(own, found.document)
    this.#generation = found
    for (const listener of this.#listeners) listener(this.#inForce)
    const { generation, hash } = found
    log.info({ identity: hash, generation }, 'another identity is in force')
  }

  async #settle(): Promise<void> {
    const { store, audit, replica, log } = this.#deps
    const document = this.#proposal
    const hash = hashOfIdentity(document)
    const before = await readIdentity(store)
    if (!before || !this.#context) return
    if (before.hash === hash) {
      this.#settled = true
      return
    }
    if ((await wasReplaced(store, hash)) && !(await isAlone(store, replica))) {
      this.#settled = true
      log.warn(
        { identity: hash },
        'the identity section here is one that was replaced since, and other replicas run: it does not come into force again by itself',
      )
      return
    }
    const asked = authorizeIdentity(this.#context, document, before)
    if (await isWithheld(log, 'the identity section changed', asked)) {
      this.#settled = true
      return
    }
    const subject = configurationSubject(before.document)
    await store.tx((tx) =>
      activateIdentity(tx, audit, before, { document, replica, subject, approval: null }),
    )
    this.announce()
  }
}

const isSame = (a: IdentityGeneration, b: IdentityGeneration) =>
  a.generation === b.generation && a.hash === b.hash

const uniqueViolation = '23505'

/** Of several replicas that start at once, the first one's settings count for all. */
async function begin(
  { store, audit, replica }: Deps,
  document: GovernedIdentity,
): Promise<IdentityGeneration> {
  try {
    const subject = configurationSubject(document)
    await store.tx((tx) =>
      activateIdentity(tx, audit, null, { document, replica, subject, approval: null }),
    )
    audit.linkWritten()
  } catch (error) {
    if (!(error instanceof StoreError) || error.code !== uniqueViolation) throw error
  }
  const found = await readIdentity(store)
  // Closed: without identity settings, nobody can be recognised.
  if (!found) throw new Error('no identity is in force')
  return found
}
