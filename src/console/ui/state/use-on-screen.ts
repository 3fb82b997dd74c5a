import { useEffect, useRef, useState } from 'preact/hooks'

/** Whether an element is on the screen, or nearly: what is not need not keep up with the clock. */
export function useOnScreen<Element extends HTMLElement>() {
  const ref = useRef<Element>(null)
  const [onScreen, setOnScreen] = useState(false)
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => setOnScreen(entries.at(-1)!.isIntersecting),
      { rootMargin: '200px' },
    )
    observer.observe(ref.current!)
    return () => observer.disconnect()
  }, [])
  return { ref, onScreen }
}
