/**
 * Bytes that break the protocol, or more of them than anybody may send. It ends the connection,
 * because what follows could be read in more than one way.
 */
export class WireFault extends Error {
  override readonly name = 'WireFault'
  /** SQLSTATE (PostgreSQL, appendix A). */
  readonly code: string

  constructor(message: string, code = '08P01') {
    super(message)
    this.code = code
  }
}

/**
 * Text that is not UTF-8. Its end is known all the same, so it can be refused like any bad
 * statement, and the session goes on.
 */
export class NotUtf8 extends WireFault {
  constructor(sequence: Uint8Array) {
    const bytes = [...sequence].map((byte) => ` 0x${byte.toString(16).padStart(2, '0')}`)
    const which = bytes.length > 0 ? `:${bytes.join('')}` : ''
    super(`invalid byte sequence for encoding "UTF8"${which}`, '22021')
  }
}
