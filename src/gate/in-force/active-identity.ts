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
  /** What the configuration of this replica says. */
  readonly own: Identity
  readonly replica: string
  readonly store: Store
  readonly audit: AuditLog
  readonly log: Log
}

/**
 * Who is who, and who may do what here, as it is in force for all replicas. What the configuration
 * of this one says instead is proposed to all when it starts, and counts once the policies allow
 * it, or people have approved it. To be read anew each time: it changes.
 */
export class ActiveIdentity implements Identity {
  readonly #deps: Deps
  readonly #proposal: GovernedIdentity
  // Owned by #take().
  #generation: IdentityGeneration
  #inForce: Identity
  // Owned by #settle(): nothing is left to be asked about what the configuration here says.
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
   * Loads what is in force. On a store without any that is what the configuration says: there is
   * nobody yet who could be asked.
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

  /**
   * Proposes what the configuration says, if that is something else, and follows what is in force
   * from now on.
   */
  async start(context: GateContext): Promise<void> {
    this.#context = context
    await this.#follower.start()
  }

  close(): Promise<void> {
    return this.#follower.stop()
  }

  /** After the commit. A hint: whoever misses it looks once a second. */
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
      // Taken back by the owner of the tables: the next replica to start begins anew, and this one
      // follows.
      if (!found || isSame(found, this.#generation)) return
      this.#take(found)
    } catch (error) {
      // Closed: what was in force stays so here, and what the configuration says instead counts no
      // more than before.
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

/** Of several replicas that start at once, one is first, and the others go by what it says. */
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
  // Closed: without it nobody is anybody.
  if (!found) throw new Error('no identity is in force')
  return found
}
