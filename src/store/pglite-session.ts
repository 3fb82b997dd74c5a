import { Duplex } from 'node:stream'
import { MessageChannel, type MessagePort, type Worker } from 'node:worker_threads'
import type { WorkerRequest } from './pglite-worker.ts'

/**
 * Acts as a socket for the driver, and carries the PostgreSQL protocol to the embedded database in
 * its thread.
 */
export class PgliteSession extends Duplex {
  readonly #worker: Worker
  readonly #port: MessagePort

  constructor(worker: Worker) {
    super()
    const { port1, port2 } = new MessageChannel()
    this.#worker = worker
    this.#port = port1
    this.#port.on('message', (bytes: Uint8Array) => this.push(bytes))
    this.#worker.postMessage({ session: port2 } satisfies WorkerRequest, [port2])
    this.#worker.once('exit', this.#onExit)
  }

  connect(): this {
    const dead = this.#worker.threadId === -1
    setImmediate(() => (dead ? this.#onExit() : this.emit('connect')))
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.#send(chunk)
    done()
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.#send(Buffer.concat(chunks.map(({ chunk }) => chunk)))
    done()
  }

  override _final(done: () => void): void {
    this.push(null)
    done()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#worker.off('exit', this.#onExit)
    this.#port.close()
    done(error)
  }

  #send(bytes: Buffer): void {
    const copy = Uint8Array.from(bytes)
    this.#port.postMessage(copy, [copy.buffer])
  }

  readonly #onExit = () => this.destroy(new Error('The embedded database has stopped.'))
}
