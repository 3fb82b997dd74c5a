import { watch, type FSWatcher } from 'node:fs'
import type { AuditLog } from '../audit/append.ts'
import { MistakesError } from '../core/errors.ts'
import type { CompiledPolicies } from '../policy/compile.ts'
import type { loadPolicies } from '../policy/load.ts'
import type { Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'

/** An editor writes a file in several steps; they settle within this time, in milliseconds. */
const settles = 200
/** Milliseconds until another try, when it was not the policies' fault. */
const retries = 1_000

interface Deps {
  readonly load: () => ReturnType<typeof loadPolicies>
  readonly folder: string
  readonly store: Pick<Store, 'tx'>
  readonly audit: AuditLog
  readonly log: Log
}

/**
 * The version of the policies that is in force. A version is swapped whole, after its text is stored and its loading is on record; a version with
 * a mistake in it changes nothing, and the one before stays in force.
 */
export class ActivePolicies {
  readonly #deps: Deps
  // Owned by reload().
  #current: CompiledPolicies
  #watcher: FSWatcher | undefined
  #settling: NodeJS.Timeout | undefined
  #reloading: Promise<void> = Promise.resolve()
  #closed = false

  private constructor(deps: Deps, first: CompiledPolicies) {
    this.#deps = deps
    this.#current = first
  }

  /** Throws `MistakesError`: a gateway does not start with policies that it cannot read. */
  static async open(deps: Deps): Promise<ActivePolicies> {
    const first = await deps.load()
    await activate(deps, first)
    return new ActivePolicies(deps, first)
  }

  get current(): CompiledPolicies {
    return this.#current
  }

  /** Reloads whenever a file in the folder changes. */
  watch(): void {
    const { folder, log } = this.#deps
    this.#watcher = watch(folder, () => this.#soon(settles))
    this.#watcher.on('error', (error) => {
      log.error({ err: error }, 'changes of the policies are not noticed any more')
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#settling)
    this.#watcher?.close()
    await this.#reloading
  }

  /** One after the other: a version that was read earlier must not come into force behind a later one. */
  reload(): Promise<void> {
    this.#reloading = this.#reloading.then(() => this.#reload())
    return this.#reloading
  }

  #soon(ms: number): void {
    if (this.#closed) return
    clearTimeout(this.#settling)
    this.#settling = setTimeout(() => void this.reload(), ms)
  }

  async #reload(): Promise<void> {
    const { log, audit } = this.#deps
    try {
      const next = await this.#deps.load()
      if (next.hash === this.#current.hash) return
      await activate(this.#deps, next)
      this.#current = next
      log.info({ policy: next.hash }, 'policies loaded')
    } catch (error) {
      if (!(error instanceof MistakesError)) {
        log.error(
          { err: error, policy: this.#current.hash },
          'policies could not be loaded yet; the ones before stay in force until then',
        )
        // Somebody may have forbidden something: that must not wait for the next edit.
        this.#soon(retries)
        return
      }
      const { mistakes } = error
      log.error(
        { mistakes, policy: this.#current.hash },
        'policies have mistakes; the ones before stay in force',
      )
      const details = { mistakes: mistakes.map((mistake) => ({ ...mistake })) }
      await audit
        .append({ type: 'policy.rejected', policy: this.#current.hash, details })
        .catch((failure: unknown) =>
          log.error({ err: failure }, 'the rejected policies are not on record'),
        )
    }
  }
}

async function activate(
  { store, audit }: Deps,
  { hash, documents }: CompiledPolicies,
): Promise<void> {
  await store.tx(async (tx) => {
    await tx.query(
      'INSERT INTO sallyport.policy_versions (hash, documents) VALUES ($1, $2::json) ON CONFLICT DO NOTHING',
      [hash, JSON.stringify(documents)],
    )
    await audit.write(tx, { type: 'policy.loaded', policy: hash })
  })
  audit.linkWritten()
}
