import { useEffect, useRef, useState } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { follow, initialFeed, type FeedState, type Following } from './feed.ts'

export interface Feed extends FeedState {
  /** Takes in an approval that came as the answer to a request. */
  take(approval: Approval): void
  /** Looks at the whole list again. */
  look(): void
}

export function useFeed(): Feed {
  const [state, setState] = useState<FeedState>(initialFeed)
  const following = useRef<Following | null>(null)
  useEffect(() => {
    const it = follow(setState)
    following.current = it
    return () => it.stop()
  }, [])
  return {
    ...state,
    take: (approval) => following.current?.take(approval),
    look: () => following.current?.look(),
  }
}
