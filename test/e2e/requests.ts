import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { GatewayClient } from '../support/gateway-client.ts'
import { sallyport } from '../support/terminal.ts'

let amount = 100_000

/** A refund that nobody else asks for, unless it is told which. */
export function refund(cents = ++amount): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ order: 'o-1', amount_cents: cents }),
  }
}

/** The same request, by a client that waits so many seconds for people. */
export function waiting(init: RequestInit, seconds: number): RequestInit {
  return { ...init, headers: { ...(init.headers as object), prefer: `wait=${seconds}` } }
}

export interface Problem {
  readonly type: string
  readonly detail: string
  readonly task: {
    readonly id: string
    readonly status: string
    readonly status_endpoint: string
    readonly expires_at: string
  }
  readonly [member: string]: unknown
}

/** The problem that a request was answered with, which has to have this code. */
export async function problemIn(answer: Response | Promise<Response>, code: string) {
  const problem = (await (await answer).json()) as Problem
  expect(problem.type, problem.detail).toBe(`https://sallyport.dev/problems/${code}`)
  return problem
}

export interface AuditEvent {
  readonly id: string
  readonly time: string
  readonly type: string
  readonly approval?: string
  readonly action?: { readonly id: string }
  readonly rules?: readonly string[]
  readonly outcome?: { readonly result: string; readonly status?: number; readonly error?: string }
  readonly [member: string]: unknown
}

/** The audit log in the order of time, after `sallyport audit verify` has accepted it. */
export async function verifiedLog(gateway: GatewayClient, folder: string): Promise<AuditEvent[]> {
  const lines = await gateway.auditLog()
  const name = `${crypto.randomUUID()}.ndjson`
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  const { code, out } = await sallyport(['audit', 'verify', name], { folder })
  expect(code, out).toBe(0)
  const events = lines.map((line) => JSON.parse(line) as AuditEvent)
  return events.toSorted((a, b) => a.time.localeCompare(b.time) || a.id.localeCompare(b.id))
}

/** How requests were answered that were sent at the same time, whichever came first. */
export function statusesOf(answers: readonly Response[]): number[] {
  return answers.map(({ status }) => status).toSorted((a, b) => a - b)
}
