import { useEffect, useRef, useState } from 'preact/hooks'
import { call, Failure, send } from '../api/call.ts'
import { save } from '../api/save.ts'
import type { Approval } from '../api/types.ts'

const lookMs = 2_000

/**
 * What a rule holds, as it was asked for, by the question: a moment later the same question would
 * be another export, which people would have to approve anew. Whoever goes to another page and
 * comes back finds it here.
 */
const asWaiting = new Map<string, string>()

interface State {
  /** It is being asked for, or comes. */
  readonly busy: boolean
  readonly failure: Failure | null
  /** What people have to approve before it is given out, or did not; else `null`. */
  readonly held: Approval | null
}

export interface Downloading extends State {
  /** `question` is what was chosen, and `path` how that is asked for now. */
  take(question: string, path: string): void
}

const idle: State = { busy: false, failure: null, held: null }

/**
 * Saves what the gateway gives out. What a rule holds is waited for, and saved once people have
 * approved it; on leaving the page it is waited for no longer.
 */
export function useDownload(): Downloading {
  const [state, setState] = useState(idle)
  const current = useRef<AbortController | null>(null)
  useEffect(() => () => current.current?.abort(), [])

  const take = (question: string, path: string) => {
    current.current?.abort()
    const turn = new AbortController()
    current.current = turn
    const show = (next: Partial<State>) => {
      if (!turn.signal.aborted) setState({ ...idle, ...next })
    }
    follow(question, path, turn.signal, show).catch((error: unknown) =>
      show({ failure: Failure.from(error) }),
    )
  }
  return { ...state, take }
}

async function follow(
  question: string,
  path: string,
  signal: AbortSignal,
  show: (state: Partial<State>) => void,
): Promise<void> {
  const asked = asWaiting.get(question) ?? path
  for (;;) {
    show({ busy: true })
    const approval = await saved(asked)
    if (approval === null) {
      asWaiting.delete(question)
      return show({})
    }
    asWaiting.set(question, asked)
    const ended = await decided(approval, signal, (held) => show({ held }))
    if (signal.aborted) return
    if (ended) {
      asWaiting.delete(question)
      return show({ held: ended })
    }
  }
}

/** Resolves to `null` once it is saved, or to the approval that it waits for. Throws `Failure`. */
async function saved(path: string): Promise<string | null> {
  try {
    await save(await send(path, { method: 'GET' }))
    return null
  } catch (error) {
    const { code, approval } = Failure.from(error)
    if (code === 'approval-pending' && approval !== null) return approval
    throw error
  }
}

/** Resolves to `null` once people have approved it, or to what ended it. Throws `Failure`. */
async function decided(
  id: string,
  signal: AbortSignal,
  show: (held: Approval) => void,
): Promise<Approval | null> {
  for (;;) {
    const { body: held } = await call<Approval>(`/api/approvals/${id}`)
    if (held.state !== 'pending' && held.state !== 'approved') return held
    show(held)
    await new Promise((resolve) => setTimeout(resolve, lookMs))
    if (signal.aborted || held.state === 'approved') return null
  }
}
