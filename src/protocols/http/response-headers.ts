/** Meant for the gateway (RFC 9110 §7.6.1), which frames its own answer. `Trailer` announces what follows, and stays. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authentication-info',
  'proxy-connection',
  'te',
  'transfer-encoding',
  'upgrade',
])

/** The head of an upstream's answer as the client gets it, both as `[name, value, name, value, …]`. */
export function answerHeaders(raw: readonly string[], action: string): string[] {
  const dropped = new Set<string>()
  for (let i = 0; i < raw.length; i += 2) {
    if (raw[i]!.toLowerCase() !== 'connection') continue
    for (const name of raw[i + 1]!.split(',')) dropped.add(name.trim().toLowerCase())
  }
  // What frames the answer stays, whatever Connection says: its length is what makes it complete.
  dropped.delete('content-length')
  const headers: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    if (hopByHop.has(name) || dropped.has(name) || name.startsWith('sallyport-')) continue
    headers.push(raw[i]!, raw[i + 1]!)
  }
  headers.push('Sallyport-Action', action)
  return headers
}

/** Trailers of an answer that may be passed on: none that frames or routes a message (RFC 9110 §6.5.1). */
export function answerTrailers(raw: readonly string[]): [string, string][] {
  const trailers: [string, string][] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const forbidden = hopByHop.has(name) || name === 'content-length' || name === 'trailer'
    if (!forbidden && !name.startsWith('sallyport-')) trailers.push([raw[i]!, raw[i + 1]!])
  }
  return trailers
}
