import type { Store } from '../../store/db.ts'

/** Between two looks, in milliseconds. A notification usually comes first. */
const lookEvery = 1_000

/**
 * Looks at something that all replicas share, whenever it may have changed, and once a second: one
 * look after the other. `look` never rejects.
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
