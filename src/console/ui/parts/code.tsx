import { useEffect, useMemo, useState } from 'preact/hooks'
import { useShown } from '../state/use-shown.ts'
import { count } from '../text/count.ts'
import { parts, type Row } from '../text/rows.ts'
import { Pieces } from './data.tsx'
import { Stretch } from './stretch.tsx'

function Part({ rows }: { rows: readonly Row[] }) {
  // The same nodes as long as the rows are the same: a live page would otherwise compare a megabyte at every event.
  return useMemo(
    () => (
      <div class="rows">
        {rows.map(({ label, tokens }) => (
          <div class="row">
            <span class="label" aria-hidden="true">
              {label || '↳'}
            </span>
            <code>
              {tokens.map(({ kind, text }) => (
                <span class={`token ${kind}`}>
                  <Pieces text={text} />
                </span>
              ))}
            </code>
          </div>
        ))}
      </div>
    ),
    [rows],
  )
}

/** All of a payload, part after part; says how much is still to come, and tells when all of it has been on the screen. */
export function Code({
  rows,
  view,
  onShown,
}: {
  rows: readonly Row[]
  /** Names these rows: other rows have not been seen yet. */
  view: string
  onShown: () => void
}) {
  const all = useMemo(() => parts(rows), [rows])
  const [open, setOpen] = useState(1)
  const { shown, markShown } = useShown(view)
  const complete = all.every((_, i) => shown.has(String(i)))
  useEffect(() => {
    if (complete) onShown()
  }, [complete, onShown])
  const hidden = all.slice(open).reduce((sum, part) => sum + part.length, 0)

  return (
    <>
      {all.slice(0, open).map((part, i) => (
        <Stretch key={i} name={String(i)} shown={shown.has(String(i))} onShown={markShown}>
          <Part rows={part} />
        </Stretch>
      ))}
      {hidden > 0 && (
        <div class="rest" data-unshown="" tabIndex={-1}>
          <p>
            This is part {open} of {all.length}. <strong>{count(hidden, 'more line')}</strong> of it
            {hidden === 1 ? ' is' : ' are'} not on this page yet.
          </p>
          <button type="button" onClick={() => setOpen(open + 1)}>
            Show the next part
          </button>
          <button type="button" onClick={() => setOpen(all.length)}>
            Show all of it
          </button>
        </div>
      )}
    </>
  )
}
