import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib'
import type { ModelUse } from '../../../core/data-use.ts'
import type { Head } from '../upstream/response-parser.ts'
import { EventStream } from './event-stream.ts'
import { JsonPicker } from './pick-json.ts'
import { paths, Said, type ModelApi } from './tokens.ts'

/** The most bytes of an answer that are unpacked, and that may wait to be. */
const mostUnpacked = 64 * 1024 * 1024
const mostWaiting = 8 * 1024 * 1024

/**
 * Reads from a model's answer, as it passes, which model it was and how many tokens it took. Delays
 * nothing, changes nothing, and keeps only a few numbers. Reports what it could not read.
 */
export class ModelMeter {
  readonly #api: ModelApi
  readonly #said = new Said()
  // Owned by head(): what reads the bytes; `null` if the answer is not a model's.
  #reader: { take(bytes: Uint8Array): void; end(): void } | null = null
  #unpacking: Gunzip | Inflate | null = null
  // Why the answer is not read, or not all of it.
  #unread: string | null = null
  #unpacked = 0

  constructor(api: ModelApi) {
    this.#api = api
  }

  head({ status, headers }: Pick<Head, 'status' | 'headers'>): void {
    if (status < 200 || status > 299) return
    const type = valueOf(headers, 'content-type')
    if (/^text\/event-stream\b/i.test(type)) this.#reader = eventReader(this.#said)
    else if (/^application\/([\w.+-]+\+)?json\b/i.test(type)) this.#reader = jsonReader(this.#said)
    if (!this.#reader) return
    const coding = valueOf(headers, 'content-encoding').toLowerCase()
    if (coding === '' || coding === 'identity') return
    if (coding === 'gzip' || coding === 'x-gzip') this.#unpack(createGunzip())
    else if (coding === 'deflate') this.#unpack(createInflate())
    // Node's Brotli decoder reads nothing from outside (CVE-2026-111497).
    else this.#stop(`the answer is packed with ${coding.slice(0, 32)}`)
  }

  body(bytes: Buffer): void {
    if (this.#unpacking) {
      this.#unpacking.write(bytes)
      if (this.#unpacking.writableLength > mostWaiting) this.#stop('the answer came too fast')
    } else {
      this.#reader?.take(bytes)
    }
  }

  /**
   * What the answer said, once no more of it comes; `null` if it is not a model's. Never rejects.
   */
  async end(): Promise<ModelUse | null> {
    if (this.#unpacking) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#unpacking.once('close', resolve)
      if (this.#unpacking.closed) resolve()
      this.#unpacking.end()
      await promise
    }
    this.#reader?.end()
    const use = this.#said.use(this.#api)
    return this.#unread === null ? use : { ...use, unread: this.#unread }
  }

  #unpack(through: Gunzip | Inflate): void {
    this.#unpacking = through
    through.on('data', (bytes: Buffer) => {
      this.#unpacked += bytes.length
      if (this.#unpacked > mostUnpacked) this.#stop('the answer is too large, unpacked')
      else this.#reader?.take(bytes)
    })
    // The answer was cut off, or is not packed as it claims. The client finds that out itself.
    through.on('error', () => (this.#unread ??= 'the answer cannot be unpacked'))
  }

  #stop(why: string): void {
    this.#unread ??= why
    this.#unpacking?.destroy()
    this.#unpacking = null
    this.#reader = null
  }
}

function jsonReader(said: Said) {
  const picker = new JsonPicker(paths)
  return { take: (bytes: Uint8Array) => picker.take(bytes), end: () => said.add(picker.found) }
}

function eventReader(said: Said) {
  let picker = new JsonPicker(paths)
  const stream = new EventStream({
    data: (bytes) => picker.take(bytes),
    end() {
      if (picker.found.size > 0) said.add(picker.found)
      picker = new JsonPicker(paths)
    },
  })
  return { take: (bytes: Uint8Array) => stream.take(bytes), end: () => said.add(picker.found) }
}

function valueOf(headers: readonly string[], name: string): string {
  for (let i = 0; i < headers.length; i += 2)
    if (headers[i]!.toLowerCase() === name) return headers[i + 1]!.trim()
  return ''
}
