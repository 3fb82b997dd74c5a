import { useEffect, useRef, useState } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { excerpt } from '../text/excerpt.ts'
import { visible } from '../text/invisible.ts'
import { actorAndPerson } from './delegation.ts'

/** What a screen reader says when something new waits: after the first list, not about it. */
export function useAnnouncement(waiting: readonly Approval[], loaded: boolean): string {
  const known = useRef<Set<string> | null>(null)
  const [words, setWords] = useState('')
  useEffect(() => {
    if (!loaded) return
    const fresh = waiting.filter(({ id }) => known.current && !known.current.has(id))
    known.current = new Set(waiting.map(({ id }) => id))
    const [first] = fresh
    if (!first) return
    const { action, risk } = first
    const { actor } = actorAndPerson(action.subject)
    const one = `New: ${visible(actor)} asks for ${visible(excerpt(action.summary, 120).text)}, ${risk} risk.`
    setWords(fresh.length === 1 ? one : `${fresh.length} new requests wait.`)
  }, [waiting, loaded])
  return words
}
