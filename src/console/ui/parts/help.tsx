import { useEffect, useRef } from 'preact/hooks'

const keys: readonly (readonly [keys: readonly string[], does: string])[] = [
  [['j', 'k'], 'next and previous'],
  [['Enter'], 'open'],
  [['u'], 'back to the list'],
  [['/'], 'search'],
  [['a'], 'go to Approve'],
  [['d'], 'go to Deny'],
  [['?'], 'this list'],
]

/** The keys. Native dialogs keep the focus inside, close by Escape, and give the focus back. */
export function Help({ close }: { close: () => void }) {
  const ref = useRef<HTMLDialogElement>(null)
  useEffect(() => ref.current!.showModal(), [])
  return (
    <dialog ref={ref} class="help" aria-labelledby="help" onClose={close}>
      <h2 id="help">Keys</h2>
      <dl>
        {keys.map(([names, does]) => (
          <>
            <dt>
              {names.map((name) => (
                <kbd>{name}</kbd>
              ))}
            </dt>
            <dd>{does}</dd>
          </>
        ))}
      </dl>
      <p class="fine">No single key votes: a and d only go to the button, and Enter presses it.</p>
      <form method="dialog">
        <button class="plain">Close</button>
      </form>
    </dialog>
  )
}
