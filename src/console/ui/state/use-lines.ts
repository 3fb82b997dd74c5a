import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { Failure, type Init } from '../api/call.ts'
import { readLines } from '../api/lines.ts'

export interface Read<State> {
  /** `null` before anything was asked. */
  readonly state: State | null
  readonly reading: boolean
  readonly failure: Failure | null
  read(path: string, init?: Init): void
}

/**
 * An answer that comes line by line, folded as it comes. Asking anew, and leaving the page, ends
 * the one before.
 */
export function useLines<State>(
  none: State,
  fold: (state: State, line: unknown) => State,
): Read<State> {
  const [state, setState] = useState<State | null>(null)
  const [reading, setReading] = useState(false)
  const [failure, setFailure] = useState<Failure | null>(null)
  const current = useRef<AbortController | null>(null)
  const latest = useRef({ none, fold })
  latest.current = { none, fold }
  useEffect(() => () => current.current?.abort(), [])

  const read = useCallback((path: string, init: Init = { method: 'GET' }) => {
    current.current?.abort()
    const turn = new AbortController()
    current.current = turn
    setFailure(null)
    setReading(true)
    const follow = async () => {
      let folded = latest.current.none
      setState(folded)
      for await (const line of readLines(path, init, turn.signal)) {
        folded = latest.current.fold(folded, line)
        if (current.current === turn) setState(folded)
      }
    }
    follow()
      .catch((error: unknown) => {
        // One that was overtaken is about a question that nobody asks any more.
        if (current.current === turn && !turn.signal.aborted) setFailure(Failure.from(error))
      })
      .finally(() => {
        if (current.current === turn) setReading(false)
      })
  }, [])
  return { state, reading, failure, read }
}
