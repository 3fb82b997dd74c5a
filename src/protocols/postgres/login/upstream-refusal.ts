/**
 * Why there is no connection to the database: for the agent, without what is only the operator's
 * business, which is in the cause.
 */
export class UpstreamRefusal extends Error {
  override readonly name = 'UpstreamRefusal'
  /** SQLSTATE (PostgreSQL, appendix A). */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }

  /**
   * What the server said. About the gateway's own login (class 28) an agent learns nothing: it is
   * not the agent's, and it cannot mend it. A database that does not exist, too many connections, a
   * server that starts: those it should know.
   */
  static of(report: ReadonlyMap<string, string>): UpstreamRefusal {
    const code = report.get('C') ?? '08006'
    const said = report.get('M') ?? 'no reason given'
    const cause = new Error(`${code}: ${said}`)
    return code.startsWith('28') || code === '42501'
      ? new UpstreamRefusal('08004', 'The database refused the login of the gateway.', { cause })
      : new UpstreamRefusal(code, said, { cause })
  }
}
