import { useCallback, useState } from 'preact/hooks'

/**
 * Which stretches of one view have been on the screen. Another view (another `view_hash`) starts
 * from nothing: closed, because what was seen there says nothing about what would run now.
 */
export function useShown(view: string): {
  shown: ReadonlySet<string>
  markShown: (stretch: string) => void
} {
  const [state, setState] = useState({ view, shown: new Set<string>() })
  const shown = state.view === view ? state.shown : new Set<string>()
  const markShown = useCallback(
    (stretch: string) =>
      setState((old) => ({
        view,
        shown: new Set(old.view === view ? [...old.shown, stretch] : [stretch]),
      })),
    [view],
  )
  return { shown, markShown }
}
