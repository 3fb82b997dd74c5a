import { HTTPParser } from 'node:_http_common'
import { isNamed } from '../header.ts'

/** The head of an upstream's final answer. */
export interface Head {
  readonly status: number
  readonly reason: string
  /** `[name, value, name, value, …]`, as they came. */
  readonly headers: readonly string[]
  /** Whether the upstream will accept another request on this connection. */
  readonly keepAlive: boolean
}

/**
 * Receives what is found in the bytes, in order: the beginning of an answer, its head, pieces of
 * its body, its end. None of these may throw.
 */
export interface ResponseEvents {
  begin(): void
  head(head: Head): void
  body(bytes: Buffer): void
  end(trailers: readonly string[]): void
}

/** An answer that is no proper HTTP/1.1. The connection cannot be used any more. */
export class ResponseError extends Error {
  override readonly name = 'ResponseError'
}

/**
 * The most bytes of an answer's head, and of its trailers. The connection ends as soon as more have
 * come.
 */
const maxHeaderSize = 64 * 1024
/**
 * The most interim answers before the final one. Without a limit they could keep the request
 * waiting for ever, since something always moves.
 */
const maxInterim = 32

/**
 * Reads the answers on one connection with Node's own strict parser. Bytes in, events out; it
 * touches no socket. Interim answers (RFC 9110 §15.2) are skipped, because they would reach the
 * client before the record of its request is durable.
 */
export class ResponseParser {
  readonly #parser = new HTTPParser()
  readonly #events: ResponseEvents

  // Owned by the parser's callbacks, for the answer that is being read.
  #more: string[] = []
  #interim = false
  #interims = 0
  #upgraded = false
  #doubt: string | null = null
  // Owned by execute(): the memory of the bytes that are being read.
  #source: ArrayBufferLike | null = null
  // Owned by expect().
  #headOnly = false
  #mayUpgrade = false

  constructor(events: ResponseEvents) {
    this.#events = events
    const parser = this.#parser
    parser.initialize(HTTPParser.RESPONSE, this, maxHeaderSize, HTTPParser.kLenientNone)
    parser[HTTPParser.kOnMessageBegin] = () => this.#events.begin()
    parser[HTTPParser.kOnHeaders] = (lines) => {
      this.#more.push(...lines)
    }
    parser[HTTPParser.kOnHeadersComplete] = (
      major,
      minor,
      lines,
      _method,
      _url,
      status,
      reason,
      _upgrade,
      keepAlive,
    ) => {
      if (major !== 1 || minor > 1) this.#doubt = 'The upstream does not speak HTTP/1.1.'
      return this.#head({ status, reason, headers: lines ?? this.#lines(), keepAlive })
    }
    parser[HTTPParser.kOnBody] = (bytes) => {
      // Node's parser gives copies. If one ever did not, the next read would overwrite the answer.
      const own = bytes.buffer === this.#source ? Buffer.from(bytes) : bytes
      if (this.#doubt === null) this.#events.body(own)
    }
    parser[HTTPParser.kOnMessageComplete] = () => this.#end()
  }

  /**
   * Announces the request that the next answer belongs to, which may have asked for another
   * protocol.
   */
  expect(method: string, mayUpgrade = false): void {
    this.#headOnly = method === 'HEAD'
    this.#interims = 0
    this.#mayUpgrade = mayUpgrade
  }

  /**
   * Reads bytes, which belong to the caller again when this returns. Once another protocol is
   * agreed on, returns the first bytes in that, and must not be called again; `null` before. Throws
   * a `ResponseError`, after which nothing that came so far can be trusted either.
   */
  execute(bytes: Buffer): Buffer | null {
    this.#source = bytes.buffer
    const result = this.#parser.execute(bytes)
    if (result instanceof Error) {
      throw new ResponseError('The answer is not valid HTTP/1.1.', { cause: result })
    }
    if (this.#doubt !== null) throw new ResponseError(this.#doubt)
    return this.#upgraded ? bytes.subarray(result) : null
  }

  /**
   * The connection has ended, which also ends an answer without a length. Throws a `ResponseError`
   * in the middle of any other answer.
   */
  finish(): void {
    const error = this.#parser.finish()
    if (error) throw new ResponseError('The answer broke off.', { cause: error })
  }

  /** Frees the parser's memory, once no callback of it can be running. */
  close(): void {
    setImmediate(() => this.#parser.close())
  }

  #lines(): string[] {
    const lines = this.#more
    this.#more = []
    return lines
  }

  #head(head: Head): 0 | 1 | 2 {
    const { status, headers } = head
    this.#interim = status >= 100 && status < 200 && status !== 101
    if (this.#interim) {
      this.#interims++
      if (this.#interims > maxInterim) this.#doubt = 'The upstream does not come to its answer.'
      return 1
    }
    this.#upgraded = status === 101 && this.#mayUpgrade
    // The upstream switched to a protocol that nobody asked for.
    if (status === 101 && !this.#upgraded) this.#doubt = 'The upstream switched protocols unasked.'
    else if (status < 100) this.#doubt = 'The answer has no valid status.'
    else if (hasOtherCoding(headers))
      this.#doubt = 'The answer has a transfer coding that is not chunked.'
    if (this.#doubt === null) this.#events.head(head)
    if (this.#upgraded) return 2
    return this.#headOnly || status === 101 || status === 204 || status === 304 ? 1 : 0
  }

  #end(): void {
    const trailers = this.#lines()
    if (!this.#interim && !this.#upgraded && this.#doubt === null) this.#events.end(trailers)
  }
}

/**
 * Whether there are transfer codings other than `chunked` (RFC 9112 §7). These end at this hop, and
 * would have to be undone before the body is passed on.
 */
function hasOtherCoding(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i]!, 'transfer-encoding')) continue
    if (headers[i + 1]!.toLowerCase() !== 'chunked') return true
  }
  return false
}
