const [lineFeed, carriageReturn] = [0x0a, 0x0d]
const field = Buffer.from('data:')

/** Receives the data of each event, in pieces, and its end. */
export interface EventParts {
  data(bytes: Uint8Array): void
  end(): void
}

/**
 * Finds the data of server-sent events as they pass (HTML Living Standard, §9.2.6). Keeps none of
 * it.
 */
export class EventStream {
  readonly #parts: EventParts
  // Owned by take(): how much of the current line has been seen, until its field is known, and
  // which field it is.
  #seen = 0
  #isData = true
  #afterReturn = false

  constructor(parts: EventParts) {
    this.#parts = parts
  }

  take(bytes: Uint8Array): void {
    let begin = 0
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      const ofBoth = byte === lineFeed && this.#afterReturn
      this.#afterReturn = byte === carriageReturn
      if (ofBoth) {
        begin = at + 1
      } else if (byte === lineFeed || byte === carriageReturn) {
        this.#piece(bytes.subarray(begin, at))
        this.#endLine()
        begin = at + 1
      } else if (this.#seen < field.length) {
        if (byte !== field[this.#seen]) this.#isData = false
        this.#seen++
        begin = at + 1
      }
    }
    this.#piece(bytes.subarray(begin))
  }

  #piece(bytes: Uint8Array): void {
    if (bytes.length > 0 && this.#isData && this.#seen === field.length) this.#parts.data(bytes)
  }

  #endLine(): void {
    if (this.#seen === 0) this.#parts.end()
    this.#seen = 0
    this.#isData = true
  }
}
