import type { AddressInfo } from 'node:net'
import type { ListenerConfig } from '../config/schema.ts'

/** The URL by which a listener is reached from this machine. */
export function urlOf({ tls }: ListenerConfig, address: AddressInfo | string | null): string {
  const { address: host, port, family } = address as AddressInfo
  const anywhere = host === '0.0.0.0' || host === '::'
  return `${tls ? 'https' : 'http'}://${anywhere ? 'localhost' : family === 'IPv6' ? `[${host}]` : host}:${port}`
}
