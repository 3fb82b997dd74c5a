import type { PendingApproval, PersonName } from '../support/gateway-client.ts'
import type { TestGateway } from '../support/gateway.ts'

/** What the agent asks for: a refund that nobody has asked for before, unless it is something else. */
export interface Asked {
  readonly body?: object | string
  readonly path?: string
  readonly claims?: Record<string, unknown>
}

export interface Held<Message> {
  /** What the waiting client gets in the end. */
  readonly answer: Promise<Response>
  readonly approval: PendingApproval
  /** As it was first: a chat edits its own copy. */
  readonly message: Message
}

/** Sends what is held, one after the other. `shown`: resolves to the next message about one in the chat. */
export function holdWith<Message>(gateway: TestGateway, shown: () => Promise<Message>) {
  let order = 0
  return async ({
    body = { order: `o-${++order}` },
    path = '/v1/refunds',
    claims = {},
  }: Asked = {}): Promise<Held<Message>> => {
    const next = shown()
    const init = {
      method: 'POST',
      headers: { 'content-type': 'application/json', prefer: 'wait=300' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    }
    const answer = gateway.agent(`/crm${path}`, init, claims)
    answer.catch(() => undefined)
    const message = structuredClone(await next)
    const id = /#\/approvals\/([0-9a-f-]{36})/.exec(JSON.stringify(message))![1]!
    return { answer, message, approval: await gateway.approval(id) }
  }
}

/** Types the code that an account in the chat was given, as this person. */
export async function typeCode(
  gateway: TestGateway,
  name: PersonName,
  code: string,
): Promise<void> {
  const linked = await gateway.person(name, '/api/links', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ code }),
  })
  if (!linked.ok) throw new Error(`linking ${name} failed: ${await linked.text()}`)
}
