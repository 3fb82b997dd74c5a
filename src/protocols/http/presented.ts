import type { Config } from '../../config/schema.ts'
import { clientCertificateOf } from '../../identity/client-certificate.ts'
import type { DpopRequest } from '../../identity/dpop.ts'
import type { Presented } from '../../identity/possession.ts'
import { headerValue } from './header.ts'
import { originOf } from './origin.ts'
import { gatewayCredential } from './request-headers.ts'
import type { StrictRequest } from './strict/strict-request.ts'

type Listen = Pick<Config['listen']['agents'], 'public_url' | 'tls'>

/**
 * The credentials that a request presents: the token (empty if there is none), and what proves its
 * possession.
 */
export function presentedBy(
  request: StrictRequest,
  socket: object,
  listen: Listen,
): { token: string; presented: Presented } {
  const { scheme, token } = gatewayCredential(request.headers)
  const certificate = clientCertificateOf(socket)
  return { token, presented: { certificate, request: new Shown(request, listen, scheme) } }
}

/** What a proof of possession has to match, computed only where there is a proof. */
class Shown implements DpopRequest {
  readonly scheme: DpopRequest['scheme']
  readonly #request: StrictRequest
  readonly #listen: Listen

  constructor(request: StrictRequest, listen: Listen, scheme: DpopRequest['scheme']) {
    this.scheme = scheme
    this.#request = request
    this.#listen = listen
  }

  get proof(): string | null {
    return headerValue(this.#request.headers, 'dpop')
  }

  get method(): string {
    return this.#request.method
  }

  get url(): string {
    return `${originOf(this.#request, this.#listen)}${this.#request.path}`
  }
}
