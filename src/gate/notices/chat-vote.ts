import type { Scope } from '../../approvals/scope.ts'
import { Problem } from '../../core/errors.ts'
import { offerLink, offerMinutes, personOfChat } from '../../identity/chat-links.ts'
import type { GateContext } from '../context.ts'
import { castVote } from '../vote.ts'

/**
 * What a button carries: exactly what its message showed. The vote is checked against both hashes.
 */
export interface ChatBallot {
  readonly approval: string
  readonly digest: string
  readonly view: string
  readonly scope: Scope
}

export interface ChatVoting {
  readonly gate: GateContext
  readonly chat: {
    readonly channel: string
    /** What people call it. */
    readonly title: string
    /** The workspace or tenant whose people vote. */
    readonly tenant: string
  }
  /** Where people reach the console, without a slash at the end. */
  readonly consoleUrl: () => string
  /** How old a login may be that says which groups somebody is in, in milliseconds. */
  readonly maxGroupAgeMs: number
}

/** What the one who clicked is told, and nobody else. `link` becomes a button. */
export interface Answer {
  readonly text: string
  readonly link?: { readonly label: string; readonly url: string }
}

/** Who clicked. The chat vouches for the id; the name is for display. */
export interface Clicker {
  readonly id: string
  readonly name: string
}

/**
 * Why this account cannot vote now, or `null`: nobody is known behind it, or it is too long ago
 * that they proved who they are.
 */
export async function introduction(deps: ChatVoting, clicker: Clicker): Promise<Answer | null> {
  const known = await personOfChat(deps.gate.store, accountOf(deps, clicker), deps.maxGroupAgeMs)
  if (!known) {
    const account = { ...accountOf(deps, clicker), name: clicker.name }
    const { link, shown } = await offerLink(deps.gate.store, account)
    return {
      text: `Sallyport does not know who you are yet. Log in, type the code ${shown} there, and confirm once that this ${deps.chat.title} account is yours; then click again. Link and code are for you alone, for ${offerMinutes} minutes: give them to nobody.`,
      link: { label: 'Log in and link', url: `${deps.consoleUrl()}/#/link/${link}` },
    }
  }
  if (!known.fresh) {
    return {
      text: 'Your last login is too long ago to know what groups you are in. Log in to the console, then click again.',
      link: { label: 'Log in', url: `${deps.consoleUrl()}/login` },
    }
  }
  return null
}

/**
 * Casts the vote of whoever is behind the account, like a vote from anywhere else. What is wrong
 * with it comes back in words; only defects are thrown.
 */
export async function voteFromChat(
  deps: ChatVoting,
  clicker: Clicker,
  decision: 'approve' | 'deny',
  { approval, digest, view, scope }: ChatBallot,
  reason: string | null,
): Promise<Answer> {
  const stranger = await introduction(deps, clicker)
  if (stranger) return stranger
  const { person } = (await personOfChat(
    deps.gate.store,
    accountOf(deps, clicker),
    deps.maxGroupAgeMs,
  ))!
  try {
    const after = await castVote(deps.gate, person, {
      approval,
      decision,
      digest,
      viewHash: view,
      reason,
      scope: decision === 'approve' ? scope : 'once',
      channel: deps.chat.channel,
    })
    const open = after['state'] === 'pending'
    if (decision === 'deny') return { text: 'You denied it.' }
    return { text: open ? 'Your approval counts. It waits for others too.' : 'You approved it.' }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { text: `This did not count. ${error.message}` }
  }
}

function accountOf({ chat }: ChatVoting, { id }: Clicker) {
  return { channel: chat.channel, tenant: chat.tenant, member: id }
}
