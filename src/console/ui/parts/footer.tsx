import { useState } from 'preact/hooks'
import { enableKeys, keysEnabled } from '../state/keys.ts'

export function Footer() {
  const [on, setOn] = useState(keysEnabled)
  const change = (wanted: boolean) => {
    enableKeys(wanted)
    setOn(wanted)
  }
  return (
    <footer class="keys">
      <p class="fine">
        <kbd>j</kbd> <kbd>k</kbd> next and previous · <kbd>Enter</kbd> open · <kbd>u</kbd> back
      </p>
      <label class="fine">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => change(event.currentTarget.checked)}
        />{' '}
        Keys on
      </label>
    </footer>
  )
}
