import { cpus } from 'node:os'
import type { Action } from '../src/core/action.ts'
import { compileAside } from '../src/policy/compile-aside.ts'
import { compilePolicies, type CompiledPolicies } from '../src/policy/compile.ts'
import { decide } from '../src/policy/decide.ts'
import { noFacts } from '../src/policy/input.ts'

/**
 * CPU nanoseconds per decision at 10, 1,000 and 10,000 rules, interleaved in one run; the median of several rounds. Run with `node bench/policy-decide.ts`.
 *
 * The rules are those of many teams with an API each: reads that are allowed, writes that are held above an amount, deletions that are denied, and
 * for each set of actions some that are allowed, held, denied, and covered by nothing.
 */
const sizes = [10, 1_000, 10_000]
const rounds = 21
const known = { resources: [{ name: 'api', protocol: 'http', facts: [] }] }
const decisions = 10_000

const sets = sizes.map((size) => ({ size, ...prepare(size) }))
for (const { policies, actions } of sets) measure(policies, actions)

const samples = new Map<number, number[]>(sizes.map((size) => [size, []]))
for (let round = 0; round < rounds; round++) {
  for (const { size, policies, actions } of sets) {
    samples.get(size)!.push(measure(policies, actions))
  }
}

console.log(`node ${process.version}, ${cpus()[0]?.model ?? 'unknown processor'}`)
const smallest = median(samples.get(sizes[0]!)!)
for (const { size, compiledIn } of sets) {
  const ns = median(samples.get(size)!)
  const ratio = (ns / smallest).toFixed(2)
  const cost = `${ns.toFixed(0)} ns per decision, ${ratio} of ${sizes[0]} rules`
  console.log(
    `${size.toLocaleString('en')} rules: ${cost}; compiled in ${compiledIn.toFixed(0)} ms`,
  )
}

await compileBesideOthers(sizes.at(-1)!)

/** A reload: the longest that the thread that answers requests is busy with it at once. */
async function compileBesideOthers(size: number): Promise<void> {
  let longest = 0
  let before = process.threadCpuUsage()
  const turn = () => {
    const { user, system } = process.threadCpuUsage(before)
    longest = Math.max(longest, (user + system) / 1e3)
    before = process.threadCpuUsage()
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  await compileAside([{ file: 'bench.yaml', text: textOf(size) }], known)
  clearImmediate(next)
  const rules = size.toLocaleString('en')
  console.log(`${rules} rules compiled aside: at most ${longest.toFixed(0)} ms of CPU at once here`)
}

function textOf(size: number): string {
  const rules = Array.from({ length: Math.ceil(size / 5) }, (_, team) => rulesOf(team)).flat()
  return JSON.stringify({ rules: rules.slice(0, size) })
}

function prepare(size: number) {
  const text = textOf(size)
  const before = process.threadCpuUsage()
  const policies = compilePolicies([{ file: 'bench.yaml', text }], known)
  const { user, system } = process.threadCpuUsage(before)
  const compiledIn = (user + system) / 1e3
  const teams = Math.floor(size / 5)
  // As many teams, and the same mix of outcomes, in every set: the number of rules is all that differs.
  const actions = [0, 1].flatMap((n) => actionsOf(Math.min(n * (teams - 1), teams - 1)))
  return { policies, actions, compiledIn }
}

function rulesOf(team: number): object[] {
  const path = `/v1/team-${team}`
  const http = (method: string, rest: string) => ({ http: { method, path: `${path}${rest}` } })
  const who = { group: `team-${team}` }
  const on = 'api'
  return [
    { name: `read-${team}`, who, on, what: http('GET', '/**'), then: 'allow' },
    { name: `order-${team}`, who, on, what: http('POST', '/orders'), then: 'allow' },
    {
      name: `refund-${team}`,
      on,
      what: http('POST', '/refunds'),
      when: 'action.http.json.cents > 5000',
      then: 'hold',
      approval: { from: { group: `leads-${team}` } },
    },
    { name: `small-refund-${team}`, who, on, what: http('POST', '/refunds'), then: 'allow' },
    { name: `delete-${team}`, on, what: http('DELETE', '/:thing/:id'), then: 'deny' },
  ]
}

function actionsOf(team: number): Action[] {
  const path = `/v1/team-${team}`
  return [
    actionOf(team, 'GET', `${path}/customers/c-1`),
    actionOf(team, 'POST', `${path}/orders`),
    actionOf(team, 'POST', `${path}/refunds`, 4_000),
    actionOf(team, 'POST', `${path}/refunds`, 9_000),
    actionOf(team, 'DELETE', `${path}/customers/c-1`),
    actionOf(team, 'PUT', `${path}/customers/c-1`),
  ]
}

function actionOf(team: number, method: string, path: string, cents = 0): Action {
  const issuer = 'https://idp.example.com'
  return {
    id: '0190a000-0000-7000-8000-000000000000',
    name: 'http.request',
    subject: {
      issuer,
      subject: `agent-${team}`,
      kind: 'agent',
      groups: ['agents', `team-${team}`],
      owner: { issuer, subject: 'maria' },
      chain: [],
      related: [],
      claims: {},
    },
    resource: 'api',
    effect: 'unknown',
    attributes: { http: { method, path, query: {}, headers: {}, json: { cents } } },
    summary: `${method} ${path}`,
    agentReason: null,
    trace: null,
  }
}

function measure(policies: CompiledPolicies, actions: readonly Action[]): number {
  const before = process.threadCpuUsage()
  for (let i = 0; i < decisions; i++) decide(actions[i % actions.length]!, noFacts, policies)
  const { user, system } = process.threadCpuUsage(before)
  return ((user + system) / decisions) * 1e3
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
