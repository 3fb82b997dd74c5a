import { useEffect, useRef, useState } from 'preact/hooks'
import { approvalHref } from '../state/route.ts'
import { Data } from './data.tsx'
import type { MadeKey } from './key-form.tsx'
import { Notice } from './notice.tsx'

/** A key's secret, for the only time. */
export function NewToken({ name, token, approval, done }: MadeKey & { done: () => void }) {
  const [copied, setCopied] = useState<'yes' | 'no' | null>(null)
  const ref = useRef<HTMLDivElement>(null)
  useEffect(() => ref.current!.focus(), [])
  const copy = () => {
    navigator.clipboard.writeText(token).then(
      () => setCopied('yes'),
      () => setCopied('no'),
    )
  }
  return (
    <div ref={ref} tabIndex={-1} class="new-token">
      <Notice tone="good" title="This is the key. It is shown now, and never again.">
        <p>
          <Data text={name} /> sends it as <code>Authorization: Bearer …</code>
        </p>
        {approval !== null && (
          <p>
            A rule holds it: it opens nothing until{' '}
            <a href={approvalHref(approval)}>people have approved it</a>. Keep it all the same.
          </p>
        )}
        <p class="token-text">
          <code>
            <Data text={token} />
          </code>
        </p>
        <div class="toolbar">
          <button type="button" onClick={copy}>
            {copied === 'yes' ? 'Copied' : 'Copy'}
          </button>
          <button type="button" onClick={done}>
            I have kept it
          </button>
        </div>
        {copied === 'no' && <p>The browser does not let it be copied: select it above.</p>}
      </Notice>
    </div>
  )
}
