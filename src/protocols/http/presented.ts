import type { Config } from '../../config/schema.ts'
import { clientCertificateOf } from '../../identity/client-certificate.ts'
import type { Presented } from '../../identity/possession.ts'
import { headerValue } from './header.ts'
import { gatewayCredential } from './request-headers.ts'
import type { StrictRequest } from './strict-request.ts'

/** What a request shows of whoever sends it: the token, empty if there is none, and what proves that it is theirs. */
export function presentedBy(
  request: StrictRequest,
  socket: object,
  listen: Pick<Config['listen']['agents'], 'public_url' | 'tls'>,
): { token: string; presented: Presented } {
  const { method, headers } = request
  const { scheme, token } = gatewayCredential(headers)
  const proof = headerValue(headers, 'dpop')
  return {
    token,
    presented: {
      certificate: clientCertificateOf(socket),
      request: { scheme, proof, method, url: urlOf(request, listen) },
    },
  }
}

/** The URL as the client sees it, without the query. What it writes into Host counts where nothing is configured. */
function urlOf(
  { path, headers }: StrictRequest,
  { public_url, tls }: Pick<Config['listen']['agents'], 'public_url' | 'tls'>,
): string {
  if (public_url !== undefined) return `${public_url.replace(/\/$/, '')}${path}`
  return `${tls ? 'https' : 'http'}://${headerValue(headers, 'host') ?? ''}${path}`
}
