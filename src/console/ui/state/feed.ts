import { Failure } from '../api/call.ts'
import { listApprovals } from '../api/list.ts'
import type { Approval } from '../api/types.ts'
import { clockSkew } from '../text/time.ts'
import { merge, type Approvals } from './inbox.ts'

export interface FeedState {
  readonly approvals: Approvals
  /** Whether news arrives by itself; otherwise what is shown may be out of date. */
  readonly connection: 'connecting' | 'live' | 'lost'
  /** Whether the list has arrived once. */
  readonly loaded: boolean
  /** Why the last look at the list failed, until one succeeds. */
  readonly failure: Failure | null
  /** Milliseconds to add to this machine's clock to get the gateway's. */
  readonly skew: number
}

export const initialFeed: FeedState = {
  approvals: new Map(),
  connection: 'connecting',
  loaded: false,
  failure: null,
  skew: 0,
}

export interface Following {
  stop(): void
  /** Takes in an approval that came another way. */
  take(approval: Approval): void
  /** Fetches the whole list again. */
  look(): void
}

const firstRetryMs = 250
const lastRetryMs = 15_000
/**
 * The gateway ends a stream now and then, to look at the credential again: a gap this short is
 * nothing to tell people about.
 */
const lostAfterMs = 4_000
/**
 * What arrives in one go is shown in one go: a burst of a thousand events would otherwise lay the
 * page out a thousand times.
 */
const togetherMs = 30
/**
 * A connection that died without a word (a laptop that slept, a proxy that forgot) reports nothing.
 */
const lookAgainMs = 60_000

/**
 * Keeps up with the approvals: with what the stream says, and with the whole list whenever it says
 * `reset`, as it does at its beginning, because it only has what happens from then on.
 */
export function follow(onChange: (state: FeedState) => void): Following {
  let state = initialFeed
  let stream: EventSource | null = null
  let retryMs = firstRetryMs
  let retry: ReturnType<typeof setTimeout> | undefined
  let lost: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  let looking = false
  let lookAgain = false
  /** What arrived while a list was under way, which may be older. */
  let meanwhile: Approval[] = []
  let telling: ReturnType<typeof setTimeout> | undefined

  const update = (change: Partial<FeedState>) => {
    if (stopped) return
    state = { ...state, ...change }
    telling ??= setTimeout(() => {
      telling = undefined
      onChange(state)
    }, togetherMs)
  }

  const take = (approval: Approval) => {
    if (looking) meanwhile.push(approval)
    update({ approvals: merge(state.approvals, [approval]) })
  }

  const fetchList = async () => {
    meanwhile = []
    try {
      const { approvals, date } = await listApprovals()
      update({
        approvals: merge(merge(new Map(), approvals), meanwhile),
        loaded: true,
        failure: null,
        skew: clockSkew(date, Date.now()),
      })
    } catch (error) {
      update({ failure: Failure.from(error) })
    }
  }

  const look = async () => {
    if (looking) {
      lookAgain = true
      return
    }
    looking = true
    await fetchList()
    looking = false
    if (lookAgain) {
      lookAgain = false
      await look()
    }
  }

  const connect = () => {
    const source = new EventSource('/api/approvals/stream')
    stream = source
    let opened = false
    source.addEventListener('open', () => {
      opened = true
      retryMs = firstRetryMs
      clearTimeout(lost)
      lost = undefined
      update({ connection: 'live' })
    })
    source.addEventListener('approval', ({ data }) => take(JSON.parse(data) as Approval))
    source.addEventListener('reset', () => void look())
    source.addEventListener('error', () => {
      source.close()
      lost ??= setTimeout(() => update({ connection: 'lost' }), lostAfterMs)
      retry = setTimeout(connect, retryMs)
      retryMs = Math.min(retryMs * 2, lastRetryMs)
      // A stream that never began does not say why; the list does.
      if (!opened) void look()
    })
  }

  const lookIfVisible = () => {
    if (document.visibilityState === 'visible') void look()
  }
  const timer = setInterval(lookIfVisible, lookAgainMs)
  document.addEventListener('visibilitychange', lookIfVisible)
  window.addEventListener('online', lookIfVisible)
  connect()

  return {
    take,
    look: () => void look(),
    stop() {
      stopped = true
      stream?.close()
      clearTimeout(telling)
      clearTimeout(retry)
      clearTimeout(lost)
      clearInterval(timer)
      document.removeEventListener('visibilitychange', lookIfVisible)
      window.removeEventListener('online', lookIfVisible)
    },
  }
}
