import type { RunningQuickstart } from './quickstart.ts'

/** What `npm start` prints. Lines that start with `curl` or `npx` can be pasted into another terminal as they are. */
export function showQuickstart({ agentsUrl, controlUrl, agentHeader }: RunningQuickstart): string {
  const curl = `curl -i -H @${quoted(agentHeader)}`
  const customer = `${agentsUrl}/crm/v1/customers/c-1`
  const refund = { order: 'o-1001', amount_cents: 12_900, reason: 'arrived broken' }
  const body = `-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(refund))}`
  return `
Sallyport is running, between an agent and the API of a small company.

  agents   ${agentsUrl}
  console  ${controlUrl}

Be the agent, in another terminal:

# allowed: it reads a customer
${curl} ${customer}

# denied: it deletes one
${curl} -X DELETE ${customer}

# held for up to five minutes: a refund of 129.00 waits for somebody who leads support
${curl} -H 'Prefer: wait=300' ${body} ${agentsUrl}/crm/v1/refunds

Be a person, while it waits: open ${controlUrl} and log in as Dana, who leads support.
Priya owns the agent, so she can look, and not approve. Or decide from here, as Dana:

npx sallyport approvals list
npx sallyport approvals watch

Afterwards: what happened, and the proof that nobody has changed it.

npx sallyport audit search
npx sallyport audit export --out audit.ndjson && npx sallyport audit verify audit.ndjson

Ctrl-C stops everything; the next start finds its data.
`
}

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`
