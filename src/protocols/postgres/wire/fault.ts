/**
 * Bytes that are not the protocol, or more of them than anybody may send. The connection ends with it: what follows could be read in
 * more than one way.
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
