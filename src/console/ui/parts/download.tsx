import { useRef, useState } from 'preact/hooks'
import { Failure, send } from '../api/call.ts'

/**
 * Saves what the gateway answers under the name that it gives; what it says instead is shown by whoever asked, and not saved. What a rule holds is asked for again
 * as it was: the same question a moment later would be another export.
 */
export function Download({
  name,
  title,
  path,
  onFailure,
}: {
  name: string
  title: string
  path: () => string
  onFailure: (failure: Failure | null) => void
}) {
  const [busy, setBusy] = useState(false)
  const held = useRef<string | null>(null)
  const take = async () => {
    const asked = held.current ?? path()
    setBusy(true)
    onFailure(null)
    try {
      await save(await send(asked, { method: 'GET' }))
      held.current = null
    } catch (error) {
      const failure = Failure.from(error)
      held.current = failure.code === 'approval-pending' ? asked : null
      onFailure(failure)
    } finally {
      setBusy(false)
    }
  }
  return (
    <button type="button" class="quiet" title={title} disabled={busy} onClick={() => void take()}>
      {name}
    </button>
  )
}

async function save(answer: Response): Promise<void> {
  const [, name = 'download'] =
    /filename="([^"]+)"/.exec(answer.headers.get('content-disposition') ?? '') ?? []
  const content = await answer.blob().catch((cause: unknown) => {
    throw new Failure('unreachable', 'The answer was cut off before its end.', { cause })
  })
  const url = URL.createObjectURL(content)
  Object.assign(document.createElement('a'), { href: url, download: name }).click()
  // The browser has begun by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
