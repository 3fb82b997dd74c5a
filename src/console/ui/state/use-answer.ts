import { useCallback, useEffect, useRef, useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'

export interface Asked<T> {
  /** What came last, also while it is asked for again; `null` before the first answer. */
  readonly answer: T | null
  readonly failure: Failure | null
  readonly asking: boolean
  ask(): void
}

/**
 * What the gateway answers at `path`, asked again whenever that is another; nothing is asked for
 * `null`.
 */
export function useAnswer<T>(path: string | null): Asked<T> {
  const [state, setState] = useState<{ path: string | null; answer: T | null }>({
    path: null,
    answer: null,
  })
  const [failure, setFailure] = useState<Failure | null>(null)
  const [asking, setAsking] = useState(path !== null)
  const latest = useRef(0)

  const ask = useCallback(() => {
    if (path === null) return
    latest.current += 1
    const turn = latest.current
    setAsking(true)
    call<T>(path)
      .then(
        ({ body }) => {
          // An answer that was overtaken is to a question that nobody asks any more.
          if (turn !== latest.current) return
          setFailure(null)
          setState({ path, answer: body })
        },
        (error: unknown) => {
          if (turn === latest.current) setFailure(Failure.from(error))
        },
      )
      .finally(() => {
        if (turn === latest.current) setAsking(false)
      })
  }, [path])
  useEffect(ask, [ask])
  return { answer: state.answer, failure, asking, ask }
}
