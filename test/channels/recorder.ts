import type { Channel, DeliveryError } from '../../src/gate/notices/channel.ts'
import type { Notice } from '../../src/gate/notices/notice.ts'

/** A channel that keeps what it is told, and fails when it is told to. Its message is edited in place: `shown` is what there is to see. */
export class RecordingChannel implements Channel {
  readonly name: string
  readonly told: Notice[] = []
  readonly shown = new Map<string, Notice>()
  failWith: DeliveryError | Error | null = null
  attempts = 0
  #messages = 0

  constructor(name: string) {
    this.name = name
  }

  async deliver(notice: Notice): Promise<{ receipt: { message: string } }> {
    this.attempts += 1
    // Long enough for another replica to get hold of the same, if it could.
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (this.failWith) throw this.failWith
    const known = notice.receipt?.['message'] as string | undefined
    const message = known ?? `${this.name} ${(this.#messages += 1)}`
    this.told.push(notice)
    this.shown.set(message, notice)
    return { receipt: { message } }
  }
}
