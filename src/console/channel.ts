import type { FastifyRequest } from 'fastify'

/** Through what a person decides, as far as it can be told: for the record only. */
export function channelOf({ caller, headers }: FastifyRequest): 'console' | 'cli' | 'api' {
  if (caller?.kind === 'person' && caller.session) return 'console'
  return headers['user-agent']?.startsWith('sallyport-cli') ? 'cli' : 'api'
}
