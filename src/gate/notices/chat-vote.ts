import type { Scope } from '../../approvals/scope.ts'
import { Problem } from '../../core/errors.ts'
import { offerLink, offerMinutes, personOfChat } from '../../identity/chat-links.ts'
import type { GateContext } from '../context.ts'
import { castVote } from '../vote.ts'

/**
 * What a button carries, which is exactly what its message showed. The vote is checked against both
 * hashes.
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
    /** The name by which people know the chat. */
    readonly title: string
    /** The workspace or tenant whose people vote. */
    readonly tenant: string
  }
  /** Where people reach the console, without a slash at the end. */
  readonly consoleUrl: () => string
  /** Milliseconds for which the groups of a login count. */
  readonly maxGroupAgeMs: number
}

/** What only the person who clicked is told. `link` becomes a button. */
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
 * Why this account cannot vote now, or `null`: it is linked to nobody, or that person's last login
 * is too long ago.
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
 * Casts the vote of the person behind the account, like a vote from anywhere else. Resolves to an
 * explanation if it does not count; rejects only for defects.
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
