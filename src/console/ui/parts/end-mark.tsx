import { useEffect, useRef } from 'preact/hooks'

/**
 * The end of a stretch of the action. Tells when it has been on the screen; until then the stretch
 * counts as not shown.
 */
export function EndMark({ onSeen }: { onSeen: () => void }) {
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const observer = new IntersectionObserver((entries) => {
      if (!entries.some(({ isIntersecting }) => isIntersecting)) return
      observer.disconnect()
      onSeen()
    })
    observer.observe(ref.current!)
    return () => observer.disconnect()
  }, [onSeen])
  return <div class="end-mark" ref={ref} />
}
