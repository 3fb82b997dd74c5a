import type { Config } from '../../config/schema.ts'
import { clientCertificateOf } from '../../identity/client-certificate.ts'
import type { Presented } from '../../identity/possession.ts'
import { headerValue } from './header.ts'
import { originOf } from './origin.ts'
import { gatewayCredential } from './request-headers.ts'
import type { StrictRequest } from './strict/strict-request.ts'

/** What a request shows of whoever sends it: the token, empty if there is none, and what proves that it is theirs. */
export function presentedBy(
  request: StrictRequest,
  socket: object,
  listen: Pick<Config['listen']['agents'], 'public_url' | 'tls'>,
): { token: string; presented: Presented } {
  const { method, path, headers } = request
  const { scheme, token } = gatewayCredential(headers)
  const proof = headerValue(headers, 'dpop')
  return {
    token,
    presented: {
      certificate: clientCertificateOf(socket),
      request: { scheme, proof, method, url: `${originOf(request, listen)}${path}` },
    },
  }
}
