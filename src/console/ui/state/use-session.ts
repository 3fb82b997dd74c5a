import { useCallback, useEffect, useState } from 'preact/hooks'
import { call, Failure } from '../api/call.ts'
import type { Me } from '../api/types.ts'
import { returnToPlace } from './return-to.ts'

export type Session =
  | { readonly state: 'asking' }
  | { readonly state: 'out' }
  | { readonly state: 'in'; readonly me: Me }
  | { readonly state: 'failed'; readonly failure: Failure }

/** Who is logged in, and the way to ask again. */
export function useSession(): { session: Session; ask: () => void } {
  const [session, setSession] = useState<Session>({ state: 'asking' })
  const ask = useCallback(() => {
    call<Me>('/api/me').then(
      ({ body }) => {
        returnToPlace()
        setSession({ state: 'in', me: body })
      },
      (error: unknown) => {
        const failure = Failure.from(error)
        setSession(
          failure.code === 'unauthenticated' ? { state: 'out' } : { state: 'failed', failure },
        )
      },
    )
  }, [])
  useEffect(ask, [ask])
  return { session, ask }
}
