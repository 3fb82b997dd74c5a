/**
 * Why there is no connection to the database, in words for the agent. What only concerns the
 * operator is in the cause.
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
   * The refusal for an error of the server's. An agent learns nothing about the gateway's own login
   * (class 28), which it cannot mend. It should know that the database does not exist, has too many
   * connections, or is starting up.
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
