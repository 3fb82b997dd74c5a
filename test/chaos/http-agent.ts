import type { Told, Toggle, Wish } from './wish.ts'
import type { World } from './world.ts'

const paths = {
  note: ['/crm/v1/notes'],
  toggled: ['/crm/v1/toggled'],
  held: ['/crm/v1/refunds', '/crm/v1/refunds', '/crm/v1/exports', '/crm/v1/urgent'],
}

/** After these there is nothing to try again. */
const final = new Set([
  'approval-denied',
  'approval-expired',
  'approval-cancelled',
  'approval-used',
  'denied',
])

interface Problem {
  readonly type?: string
  readonly action?: string
  readonly task?: { readonly id: string }
}

type Answer = Told & { readonly task: string | null }

/** Wants something to be done, and tries until it is, or is not to be: here and there, waiting and not, and goes away in the middle. */
export async function call(world: World, wish: Wish, toggle: Toggle, until: AbortSignal) {
  const kinds: Record<Wish['kind'], string[]> = { ...paths, sql: [] }
  const path = `${world.pick(kinds[wish.kind])}?word=${wish.word}`
  // A write that nobody has to approve is sent once: nothing would keep the second one from running, too.
  const tries = wish.kind === 'note' ? 1 : 6
  let approval: string | null = null
  for (let attempt = 0; attempt < tries && !until.aborted; attempt++) {
    const { phase } = toggle
    const headers: Record<string, string> = {
      'content-type': 'application/json',
      'sallyport-reason': wish.word,
      'x-salt': wish.salt,
      prefer: world.chance(0.2) ? 'respond-async' : `wait=${world.pick([0, 1, 5, 20])}`,
      ...(approval !== null && { 'sallyport-approval': approval }),
    }
    const patience = world.chance(0.25) ? world.pick([5, 200, 2_000]) : 30_000
    // The same request at both replicas, or at one of them twice.
    const twins = wish.kind !== 'note' && world.chance(0.2) ? 2 : 1
    const answers: Answer[] = await Promise.all(
      Array.from({ length: twins }, () => ask(world, path, headers, wish.body, patience)),
    )
    wish.told.push(...answers)
    // While it is NaN, it is not the same as itself.
    if (!(phase % 2 === 1 && phase === toggle.phase)) wish.denied = false
    approval = answers.find(({ task }) => task !== null)?.task ?? approval
    if (answers.some(({ status }) => status !== null && status < 300 && status !== 202)) return
    if (answers.every(({ code }) => code !== null && final.has(code))) return
    await world.pause(50, 1_000)
  }
}

async function ask(
  world: World,
  path: string,
  headers: Record<string, string>,
  body: string,
  patience: number,
): Promise<Answer> {
  try {
    const init = { method: 'POST', headers, body, signal: AbortSignal.timeout(patience) }
    const response = await world.any().agent(path, init)
    const { status } = response
    const text = await response.text()
    const said = JSON.parse(text) as Problem
    return {
      status,
      code: said.type?.split('/').at(-1) ?? null,
      action: response.headers.get('sallyport-action') ?? said.action ?? null,
      task: said.task?.id ?? null,
    }
  } catch {
    return { status: null, code: null, action: null, task: null }
  }
}
