/**
 * Whether a URL leads to this machine and no further, so that http:// is no risk (RFC 6761 §6.3,
 * RFC 1122 §3.2.1.3, RFC 4291 §2.5.3).
 */
export function isLoopback(url: string): boolean {
  const { hostname } = new URL(url)
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname)
}
