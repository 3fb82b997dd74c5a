import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config, ListenerConfig } from '../config/schema.ts'
import { TlsServer } from '../config/tls-server.ts'
import { Problem } from '../core/errors.ts'
import { StoreError, type Store } from '../store/db.ts'
import { openStore } from '../store/open.ts'
import type { Log } from '../telemetry/log.ts'

const firstPause = 500
const longestPause = 5_000
/** Seconds. */
const retryAfter = '5'

/**
 * Opens the store, and waits for one that is not there yet. Meanwhile both listeners answer 503, so
 * that agents and probes learn why nothing works, and nothing is forwarded. Rejects with what
 * `openStore` rejects with when it does answer, and with the reason of `signal`.
 */
export async function openStoreWhenThere(
  config: Config,
  log: Log,
  signal: AbortSignal | undefined,
): Promise<Store> {
  const first = await tryToOpen(config)
  if (!(first instanceof StoreError)) return first
  await using rooms = new AsyncDisposableStack()
  const { agents, control } = config.listen
  rooms.defer(await answerInPlaceOf(agents, log, refuse))
  rooms.defer(await answerInPlaceOf(control, log, refuseOrLive))
  let error = first
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    log.warn({ err: error }, 'the store does not answer yet; trying again until it does')
    await sleep(pause, undefined, { signal }).catch(() => signal?.throwIfAborted())
    const opened = await tryToOpen(config)
    if (!(opened instanceof StoreError)) return opened
    error = opened
  }
}

async function tryToOpen(config: Config): Promise<Store | StoreError> {
  try {
    return await openStore(config)
  } catch (error) {
    // Only where nobody answered: a wrong password or a missing database does not mend itself by
    // waiting.
    if (error instanceof StoreError && error.ambiguous) return error
    throw error
  }
}

/** Resolves, when it listens, to the function that ends it. */
async function answerInPlaceOf(
  { address: { host, port }, tls }: ListenerConfig,
  log: Log,
  answer: RequestListener,
): Promise<() => Promise<void>> {
  const options = { keepAliveTimeout: 1 }
  const server = tls ? new TlsServer(tls, log, options) : createServer(options)
  server.on('request', answer).listen(port, host)
  await once(server, 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }
}

const refuse: RequestListener = (_request, response) => {
  const problem = new Problem(
    'store-unavailable',
    'The gateway waits for its store, so nothing is forwarded. Try again when it is back.',
    { reason: 'store-away' },
  )
  response.writeHead(problem.status, {
    'content-type': 'application/problem+json',
    'cache-control': 'no-store',
    'retry-after': retryAfter,
    connection: 'close',
  })
  response.end(JSON.stringify(problem))
}

const refuseOrLive: RequestListener = (request, response) => {
  if (request.url !== '/healthz') return refuse(request, response)
  response.writeHead(200, { 'content-type': 'application/json', connection: 'close' })
  return response.end(JSON.stringify({ status: 'ok' }))
}
