import type { ServerResponse } from 'node:http'

/** In milliseconds, and in bytes. */
interface Limits {
  /** Between two signs of life, so that proxies do not close the stream. */
  readonly heartbeat: number
  /**
   * After which a stream ends, and its page comes back with a credential that is looked at anew.
   */
  readonly longest: number
  /** What may wait for a page that does not read. */
  readonly mostWaiting: number
}

const usual: Limits = { heartbeat: 15_000, longest: 5 * 60_000, mostWaiting: 4 * 1024 * 1024 }

/**
 * Server-sent events (WHATWG HTML, §9.2) for one page. A page that stopped reading, on a laptop
 * that was closed, say, is cut off before what waits for it fills the memory; when it is back it
 * looks at everything anew.
 */
export class EventStream {
  readonly #raw: ServerResponse
  readonly #limits: Limits

  constructor(raw: ServerResponse, limits = usual) {
    this.#raw = raw
    this.#limits = limits
    raw.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    })
    const beat = setInterval(() => this.#beat(), limits.heartbeat)
    const end = setTimeout(() => this.end(), limits.longest)
    this.onClose(() => {
      clearInterval(beat)
      clearTimeout(end)
    })
  }

  send(event: string, data: unknown): void {
    // JSON has no line breaks of its own, so an event is always one `data` line.
    this.#write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
  }

  /** The page comes back by itself. */
  end(): void {
    this.#raw.end()
  }

  /**
   * Calls back when nobody is there any more: at once for a page that went away while its
   * credential was looked at.
   */
  onClose(closed: () => void): void {
    if (this.#raw.destroyed) closed()
    else this.#raw.once('close', closed)
  }

  #beat(): void {
    // It has ended, and what was written before is still not read.
    if (this.#raw.writableEnded) this.#raw.destroy()
    else this.#write(':\n\n')
  }

  #write(text: string): void {
    const raw = this.#raw
    // Writing behind the end would be an error that nobody handles, and `writable` is true even
    // then.
    if (raw.writableEnded || raw.destroyed) return
    if (raw.writableLength > this.#limits.mostWaiting) raw.destroy()
    else raw.write(text)
  }
}
