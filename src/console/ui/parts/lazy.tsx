import type { ComponentType } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { Notice } from './notice.tsx'

/**
 * A page whose script is fetched when it is first opened, so that the inbox does not wait for it.
 */
export function Lazy<Props extends object>({
  load,
  props,
  shown,
}: {
  load: () => Promise<ComponentType<Props>>
  props: Props
  /** Called once it is there. */
  shown: () => void
}) {
  const [loaded, setLoaded] = useState<{ Page: ComponentType<Props> } | 'failed' | null>(null)
  useEffect(() => {
    load().then(
      (Page) => setLoaded({ Page }),
      () => setLoaded('failed'),
    )
  }, [load])
  const there = loaded !== null
  useEffect(() => {
    if (there) shown()
  }, [there, shown])
  if (loaded === null) return <p role="status">Opening …</p>
  if (loaded === 'failed') {
    return (
      <Notice tone="bad" title="This page did not load">
        <p>The gateway is away, or has been updated since you opened the console.</p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    )
  }
  return <loaded.Page {...props} />
}
