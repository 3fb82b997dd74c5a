import type { AuditEvent } from '../e2e/requests.ts'
import type { Told, Wish } from './wish.ts'
import type { Vote } from './approvers.ts'
import type { Arrival } from './unsteady-upstream.ts'

/** What was found, against what was asked for, decided and told. */
export interface Books {
  readonly log: readonly AuditEvent[]
  readonly wishes: readonly Wish[]
  readonly votes: readonly Vote[]
  readonly arrivals: readonly Arrival[]
  /** Rows that statements have left, by their word. */
  readonly rows: readonly { readonly word: string; readonly salt: string }[]
}

interface Run {
  readonly action: string
  readonly word: string | null
  readonly approval: string | null
  readonly trace: string | null
  readonly outcomes: readonly Outcome[]
}

type Outcome = NonNullable<AuditEvent['outcome']>

/** Everything that must not be, in words; empty if all is as it should be. */
export function auditOf(books: Books): string[] {
  const runs = runsOf(books.log)
  return [
    ...approvalsWithout(books.log),
    ...outcomesOf(runs),
    ...refusedButRun(books.votes, runs),
    ...arrivalsOf(books, runs),
    ...rowsOf(books, runs),
    ...toldWrong(books, runs),
  ]
}

/** Actions that an upstream may have seen, by the log. */
export function runsOf(log: readonly AuditEvent[]): Run[] {
  const outcomes = Map.groupBy(
    log.filter(({ type }) => type === 'action.completed'),
    ({ action }) => action!.id,
  )
  const words = new Map<string, string>()
  for (const { action, approval, details } of log as readonly Detailed[]) {
    if (details?.agent_reason === undefined) continue
    words.set(action!.id, details.agent_reason)
    if (approval !== undefined) words.set(approval, details.agent_reason)
  }
  const began = log.filter(
    ({ type, decision }) =>
      type === 'action.dispatched' || (type === 'action.decided' && decision === 'allow'),
  )
  return began.map(({ action, approval = null, trace }) => ({
    action: action!.id,
    word: words.get(action!.id) ?? words.get(approval ?? '') ?? null,
    approval,
    trace: (trace as string | undefined) ?? null,
    outcomes: (outcomes.get(action!.id) ?? []).map(({ outcome }) => outcome!),
  }))
}

type Detailed = AuditEvent & { readonly details?: { readonly agent_reason?: string } }

/** What ran without having been approved before, or again, or after it was over. */
function approvalsWithout(log: readonly AuditEvent[]): string[] {
  const found: string[] = []
  for (const [id, events] of Map.groupBy(log, ({ approval }) => approval)) {
    if (id === undefined) continue
    const ends = events.filter(({ type }) => type === 'approval.resolved')
    const states = ends.map((event) => (event['details'] as { state: string }).state)
    const dispatched = events.filter(({ type }) => type === 'action.dispatched')
    if (dispatched.length === 0) continue
    if (dispatched.length > 1) found.push(`${id} was dispatched ${dispatched.length} times`)
    if (states.join() !== 'approved') found.push(`${id} ran, and was ${states.join(', then ')}`)
    if (ends[0] && ends[0].time > dispatched[0]!.time)
      found.push(`${id} ran before it was approved`)
  }
  return found
}

function outcomesOf(runs: readonly Run[]): string[] {
  return runs.flatMap(({ action, word, outcomes }) => {
    const results = outcomes.map(({ result }) => result)
    if (results.length === 0) return [`${action} (${word}) has no outcome`]
    // Late evidence, beside what those said who had to give the run up. Its time may be before theirs: that is when it was known.
    const unknown = results.filter((result) => result === 'unknown').length
    if (results.length > 2 || (results.length === 2 && unknown !== 1))
      return [`${action} (${word}) has the outcomes ${results.join(', ')}`]
    return []
  })
}

function refusedButRun(votes: readonly Vote[], runs: readonly Run[]): string[] {
  const ran = new Set(runs.map(({ approval }) => approval))
  return votes
    .filter(({ decision, status }) => decision !== 'approve' && status === 200)
    .filter(({ approval }) => ran.has(approval))
    .map(
      ({ approval, decision }) =>
        `${approval} ran, although somebody was told that their ${decision} counts`,
    )
}

function arrivalsOf({ arrivals, wishes }: Books, runs: readonly Run[]): string[] {
  const found: string[] = []
  const byTrace = Map.groupBy(runs, ({ trace }) => trace)
  const wished = new Map(wishes.map((wish) => [wish.word, wish]))
  for (const [trace, all] of Map.groupBy(arrivals, (arrival) => arrival.trace)) {
    const may = byTrace.get(trace) ?? []
    if (all.length > may.length) {
      found.push(
        `${all[0]!.url} (trace ${trace}) arrived ${all.length} times, for ${may.length} runs`,
      )
    }
  }
  for (const { method, url, headers, body, trace } of arrivals) {
    const word = new URLSearchParams(url.split('?')[1]).get('word')
    const wish = word === null ? undefined : wished.get(word)
    // What was asked to learn which rule is in force.
    if (!wish) continue
    if (method !== 'POST' || headers['x-salt'] !== wish.salt || (body ?? wish.body) !== wish.body) {
      found.push(`${url} arrived with other bytes than were sent`)
    }
    if (headers.authorization !== 'Bearer upstream-secret-of-the-test') {
      found.push(`${url} arrived with another credential`)
    }
    if (wish.denied && wish.kind === 'toggled')
      found.push(`${url} arrived, and was denied all along`)
    if ((byTrace.get(trace) ?? []).some((run) => run.word !== word)) {
      found.push(`${url} (trace ${trace}) is another action in the log`)
    }
  }
  return found
}

/** By its outcome, whether the upstream has it: `null` if nobody can know. */
function happened({ outcomes }: Run): boolean | null {
  const known = outcomes.find(({ result }) => result !== 'unknown')
  if (!known) return null
  return known.result === 'succeeded' || known.status !== undefined
}

function rowsOf({ rows, wishes, arrivals }: Books, runs: readonly Run[]): string[] {
  const byWord = Map.groupBy(runs, ({ word }) => word)
  const arrived = Map.groupBy(arrivals, ({ url }) =>
    new URLSearchParams(url.split('?')[1]).get('word'),
  )
  const left = Map.groupBy(rows, ({ word }) => word)
  const found: string[] = []
  for (const { word, kind, salt } of wishes) {
    const mine = byWord.get(word) ?? []
    const count = kind === 'sql' ? (left.get(word) ?? []) : (arrived.get(word) ?? [])
    const sure = mine.filter((run) => happened(run) === true).length
    const perhaps = sure + mine.filter((run) => happened(run) === null).length
    if (count.length < sure || count.length > perhaps) {
      found.push(
        `${kind} ${word}: ${count.length} seen, and by the log ${sure} to ${perhaps}: ${JSON.stringify(mine)}`,
      )
    }
    if (kind === 'sql' && left.get(word)?.some((row) => row.salt !== salt)) {
      found.push(`${word} has left another row than was asked for`)
    }
  }
  return found
}

/** Nobody was told that something ran, or did not, unless it is so. */
function toldWrong({ wishes, arrivals, rows }: Books, runs: readonly Run[]): string[] {
  const byAction = new Map(runs.map((run) => [run.action, run]))
  const traces = new Set(arrivals.map(({ trace }) => trace))
  const left = new Set(rows.map(({ word }) => word))
  const wrong = (wish: Wish, { status, code, action }: Told): string | null => {
    if (wish.kind === 'sql') {
      return status === 200 && !left.has(wish.word) ? 'was told that it ran' : null
    }
    const run = action === null ? undefined : byAction.get(action)
    const arrived = run?.trace !== undefined && run.trace !== null && traces.has(run.trace)
    if ((status === 201 || status === 500) && !arrived) return 'was told that it ran'
    if (code !== null && notForwarded.has(code) && arrived && run?.approval === null)
      return `was told ${code}, and it ran`
    if (code !== null && notForwarded.has(code) && run && happened(run) === true)
      return `was told ${code}, and it ran by the log`
    return null
  }
  return wishes.flatMap((wish) =>
    wish.told.flatMap((told) => {
      const what = wrong(wish, told)
      return what === null
        ? []
        : [`${wish.kind} ${wish.word}: its agent ${what} (${JSON.stringify(told)})`]
    }),
  )
}

const notForwarded = new Set([
  'approval-cancelled',
  'approval-denied',
  'approval-expired',
  'approval-invalidated',
  'approval-mismatch',
  'approval-pending',
  'approval-used',
  'denied',
  'store-unavailable',
  'too-many-holds',
])
