import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { AuditEvent, EventPage } from '../api/types.ts'
import { eventQuery, type ActivityFilter } from './activity-filter.ts'
import { joined } from './joined.ts'

const pageSize = 100
const tailMs = 2_000
/** Milliseconds of typing that has to be over before it is searched for. */
const typedMs = 250

export interface Events {
  readonly events: readonly AuditEvent[]
  /** Where older ones begin; `null` when there are none. */
  readonly cursor: string | null
  readonly loaded: boolean
  readonly asking: boolean
  readonly failure: Failure | null
  more(): void
  again(): void
}

/** Pages of the audit log, the newest first; with `live`, what is new is put on top of them. */
export function useEvents(filter: ActivityFilter, live: boolean): Events {
  const key = JSON.stringify(filter)
  const [state, setState] = useState<Pick<Events, 'events' | 'cursor' | 'loaded' | 'failure'>>({
    events: [],
    cursor: null,
    loaded: false,
    failure: null,
  })
  const [asking, setAsking] = useState(true)
  /** Which search is the current one: answers to earlier ones are nobody's any more. */
  const turn = useRef(0)

  const fetchPage = useCallback(
    async (cursor: string | null, place: 'instead' | 'below' | 'above') => {
      if (place === 'instead') turn.current += 1
      const mine = turn.current
      const query = eventQuery(JSON.parse(key) as ActivityFilter, Date.now())
      query.set('limit', String(pageSize))
      if (cursor !== null) query.set('cursor', cursor)
      if (place !== 'above') setAsking(true)
      try {
        const { body } = await call<EventPage>(`/api/audit/events?${query}`)
        if (mine !== turn.current) return
        setState((old) => {
          if (place === 'instead') return { ...body, loaded: true, failure: null }
          if (place === 'below') {
            return { ...old, ...body, events: joined(old.events, body.events), failure: null }
          }
          // More than a page is new: what is between would be missing, so it begins anew.
          const gap = !body.events.some(({ id }) => old.events.some((known) => known.id === id))
          if (gap) return { ...body, loaded: true, failure: null }
          return { ...old, events: joined(body.events, old.events), failure: null }
        })
      } catch (error) {
        if (mine === turn.current) {
          setState((old) => ({ ...old, loaded: true, failure: Failure.from(error) }))
        }
      } finally {
        if (mine === turn.current && place !== 'above') setAsking(false)
      }
    },
    [key],
  )

  useEffect(() => {
    const timer = setTimeout(
      () => void fetchPage(null, 'instead'),
      turn.current === 0 ? 0 : typedMs,
    )
    return () => clearTimeout(timer)
  }, [fetchPage])

  useEffect(() => {
    if (!live) return
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void fetchPage(null, 'above')
    }, tailMs)
    return () => clearInterval(timer)
  }, [live, fetchPage])

  return {
    ...state,
    asking,
    more: () => void fetchPage(state.cursor, 'below'),
    again: () => void fetchPage(null, 'instead'),
  }
}
