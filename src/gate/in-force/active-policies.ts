import { isDeepStrictEqual } from 'node:util'
import type { AuditLog } from '../../audit/append.ts'
import { MistakesError } from '../../core/errors.ts'
import type { Subject } from '../../core/subject.ts'
import type { CompiledPolicies } from '../../policy/compile.ts'
import type { PolicyDocument } from '../../policy/read-rules.ts'
import { StoreError, type Store } from '../../store/db.ts'
import type { Log } from '../../telemetry/log.ts'
import { policiesChannel, putInForce, type Authorize, type Put } from './activate.ts'
import { isAloneWithFiles, readInForce, readVersion, type PoliciesInForce } from './generations.ts'
import { PolicyFolder } from './policy-folder.ts'

/** Milliseconds between two looks at what is in force. Usually a notification comes first. */
const lookEvery = 1_000
/** Milliseconds until another try after a failure that was not the policies' fault. */
const retries = 1_000

interface Deps {
  /** Reads the files of this replica. Rejects with a `MistakesError` when they cannot be read. */
  readonly read: () => Promise<readonly PolicyDocument[]>
  /**
   * `elsewhere`: the policies are in force already, and may name resources that this replica does
   * not have. Throws a `MistakesError`.
   */
  readonly compile: (
    documents: readonly PolicyDocument[],
    from: 'here' | 'elsewhere',
  ) => CompiledPolicies | Promise<CompiledPolicies>
  readonly folder: string
  readonly replica: string
  readonly store: Store
  readonly audit: AuditLog
  readonly log: Log
}

/** The files of this replica, as read and as compiled. */
interface Files {
  readonly documents: readonly PolicyDocument[]
  readonly own: CompiledPolicies
}

/**
 * The policies that this replica decides with: those of the generation that is in force for all
 * replicas. Changes of the files here are proposed to all; what comes into force anywhere is loaded
 * from the store, never from the files. A version is swapped as a whole, and one with a mistake in
 * it changes nothing.
 */
export class ActivePolicies {
  readonly #deps: Deps
  // Owned by #follow().
  #current: PoliciesInForce
  #stuck = 0
  // Owned by #reload(): the files as they were last read, and the generation since which they have
  // been so. A replica that starts among others cannot know this, and often has the files of an
  // earlier release: 0. One that starts alone is a deployment, whose files count even if it goes
  // back to an older version.
  #files: Files
  #base: number
  #proposed = false
  #folder: PolicyFolder | null = null
  #looking: NodeJS.Timeout | undefined
  #stopListening: () => Promise<void> = async () => {}
  #turn: Promise<void> = Promise.resolve()

  private constructor(deps: Deps, current: PoliciesInForce, files: Files, base: number) {
    this.#deps = deps
    this.#current = current
    this.#files = files
    this.#base = base
  }

  /**
   * Loads what is in force, which on an empty store is what the files say. Rejects with a
   * `MistakesError`. Closed: a gateway does not start with files that it cannot read, nor without
   * knowing what is in force.
   */
  static async open(deps: Deps): Promise<ActivePolicies> {
    const documents = await deps.read()
    const own = await deps.compile(documents, 'here')
    if ((await readInForce(deps.store)).generation === 0) {
      await putInForce(deps, own, { base: 0, authorize: null })
    }
    const current = await load(deps, own)
    const base = (await isAloneWithFiles(deps.store, deps.replica)) ? current.generation : 0
    return new ActivePolicies(deps, current, { documents, own }, base)
  }

  get current(): PoliciesInForce {
    return this.#current
  }

  /**
   * Whether this replica cannot read what is in force. Closed: it runs nothing until it can,
   * because its decisions go by rules that no longer count.
   */
  get behind(): boolean {
    return this.#stuck > this.#current.generation
  }

  /** Proposes the files, now and after each change, and follows what comes into force elsewhere. */
  async start(authorize: Authorize | null): Promise<void> {
    const { folder, log, store } = this.#deps
    this.#folder = new PolicyFolder(folder, () => void this.reload(authorize), log)
    await this.reload(authorize)
    await this.#folder.look()
    this.#stopListening = await store.listen(policiesChannel, () => void this.follow())
    this.#looking = setInterval(() => {
      void this.follow()
      void this.#folder?.look()
    }, lookEvery)
  }

  async close(): Promise<void> {
    clearInterval(this.#looking)
    this.#folder?.close()
    await this.#stopListening()
    await this.#turn
  }

  /**
   * Reads the files and proposes them. One call at a time, so that an earlier reading cannot come
   * into force after a later one.
   */
  reload(authorize: Authorize | null): Promise<void> {
    this.#turn = this.#turn.then(() => this.#reload(authorize))
    return this.#turn
  }

  /**
   * Puts a person's proposal into force for all replicas, whatever was in force before. Rejects
   * with a `MistakesError`, and with the error of `authorize`.
   */
  async propose(
    documents: readonly PolicyDocument[],
    authorize: Authorize,
    subject: Subject,
  ): Promise<Put & { readonly hash: string }> {
    const next = await this.#deps.compile(documents, 'here')
    const { generation: base } = await readInForce(this.#deps.store)
    const put = await putInForce(this.#deps, next, { base, authorize, subject })
    await this.follow()
    return { ...put, hash: next.hash }
  }

  /** Loads what is in force. Resolves when that is done, or when the reason why not is logged. */
  follow(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#follow())
    return this.#turn
  }

  async #reload(authorize: Authorize | null): Promise<void> {
    const { read, compile, log } = this.#deps
    try {
      const documents = await read()
      const same = isDeepStrictEqual(documents, this.#files.documents)
      if (same && this.#proposed) return
      const own = same ? this.#files.own : await compile(documents, 'here')
      const put = await putInForce(this.#deps, own, { base: this.#base, authorize })
      const { generation, change } = put
      this.#files = { documents, own }
      this.#proposed = true
      if (change !== 'withheld') this.#base = generation
      if (change === 'outdated') {
        log.warn(
          { files: own.hash, since: generation },
          'the policy files here are those of an earlier generation, and were replaced since: they do not come into force again by themselves',
        )
      }
      await this.#follow()
    } catch (error) {
      this.#proposed = false
      if (!(error instanceof MistakesError)) {
        log.error(
          { err: error, policy: this.#current.hash },
          'policies could not be put into force yet; the ones before stay in force until then',
        )
        // Tried again soon: the files may forbid something, which must not wait for the next edit.
        this.#folder?.soon(retries)
        return
      }
      await this.#reject(error)
    }
  }

  async #follow(): Promise<void> {
    const { store, log, audit } = this.#deps
    let found = this.#current.generation
    try {
      const inForce = await readInForce(store)
      found = inForce.generation
      if (found === this.#current.generation || found === this.#stuck) return
      this.#current = await load(this.#deps, this.#current)
      const { hash, generation } = this.#current
      log.info({ policy: hash, generation }, 'policies loaded')
      await audit.append({ type: 'policy.loaded', policy: hash, details: { generation } })
    } catch (error) {
      // Closed: without them, this replica's decisions no longer count, so nothing runs here.
      const level = error instanceof StoreError ? 'warn' : 'error'
      log[level]({ err: error, generation: found }, 'the policies in force could not be loaded')
      if (error instanceof MistakesError) this.#stuck = found
    }
  }

  async #reject({ mistakes }: MistakesError): Promise<void> {
    const { log, audit } = this.#deps
    const policy = this.#current.hash
    log.error({ mistakes, policy }, 'policies have mistakes; the ones before stay in force')
    const details = { mistakes: mistakes.map((mistake) => ({ ...mistake })) }
    await audit
      .append({ type: 'policy.rejected', policy, details })
      .catch((failure: unknown) =>
        log.error({ err: failure }, 'the rejected policies are not on record'),
      )
  }
}

/** `known`: compiled policies, which are used again if they are of the same version. */
async function load({ store, compile }: Deps, known: CompiledPolicies): Promise<PoliciesInForce> {
  const { generation, hash } = await readInForce(store)
  if (hash === null) throw new Error('no policies are in force')
  if (hash === known.hash) return { ...known, generation }
  const compiled = await compile(await readVersion(store, hash), 'elsewhere')
  // Closed: this text is not what was put into force.
  if (compiled.hash !== hash) throw new Error(`the text of policies ${hash} is that of others`)
  return { ...compiled, generation }
}
