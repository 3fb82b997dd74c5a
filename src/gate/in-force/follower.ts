import type { Store } from '../../store/db.ts'

/** Milliseconds between two looks. Usually a notification comes first. */
const lookEvery = 1_000

/**
 * Looks at something that all replicas share, once a second and whenever it may have changed, one
 * look at a time. `look` must not reject.
 */
export class Follower {
  readonly #store: Store
  readonly #channel: string
  readonly #look: () => Promise<void>
  #looking: NodeJS.Timeout | undefined
  #stopListening: () => Promise<void> = async () => {}
  #turn: Promise<void> = Promise.resolve()

  constructor(store: Store, channel: string, look: () => Promise<void>) {
    this.#store = store
    this.#channel = channel
    this.#look = look
  }

  async start(): Promise<void> {
    await this.look()
    this.#stopListening = await this.#store.listen(this.#channel, () => void this.look())
    this.#looking = setInterval(() => void this.look(), lookEvery)
  }

  async stop(): Promise<void> {
    clearInterval(this.#looking)
    await this.#stopListening()
    await this.#turn
  }

  look(): Promise<void> {
    this.#turn = this.#turn.then(this.#look)
    return this.#turn
  }
}
