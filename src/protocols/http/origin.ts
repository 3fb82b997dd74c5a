import type { Config } from '../../config/schema.ts'
import { headerValue } from './header.ts'
import type { StrictRequest } from './strict/strict-request.ts'

type Listen = Pick<Config['listen']['agents'], 'public_url' | 'tls'>
type Request = Pick<StrictRequest, 'headers'>

/**
 * Scheme and host of the gateway as its clients see it: what is configured, or else what they write
 * into Host.
 */
export function originOf(request: Request, listen: Listen): string {
  return listen.public_url?.replace(/\/$/, '') ?? writtenOrigin(request, listen)
}

/** The same for a resource with a host of its own, which is not the configured one. */
export function writtenOrigin({ headers }: Request, { public_url, tls }: Listen): string {
  const secure = public_url?.startsWith('https:') ?? tls !== undefined
  return `${secure ? 'https' : 'http'}://${headerValue(headers, 'host') ?? ''}`
}
