import { demoAgent } from './demo-credentials.ts'
import type { RunningQuickstart } from './quickstart.ts'

interface Ways {
  /** What the shell makes the demo agent's header from. */
  readonly header: string
  /** And its password for the database. */
  readonly token: string
  /** How the CLI is called. */
  readonly sallyport: string
  readonly end: string
}

/**
 * What `npm start` prints, or the same for somebody who started it in another way. Lines that start
 * with `curl`, `PGPASSWORD` or the CLI can be pasted as they are.
 */
export function showQuickstart(
  { agentsUrl, controlUrl, databasePort, agent }: Omit<RunningQuickstart, 'close'>,
  { header, token, sallyport, end }: Ways = {
    header: `@${quoted(agent.header)}`,
    token: `"$(cat ${quoted(agent.token)})"`,
    sallyport: 'npx sallyport',
    end: 'Ctrl-C stops everything; the next start finds its data.',
  },
): string {
  const curl = `curl -i -H ${header}`
  const customer = `${agentsUrl}/crm/v1/customers/c-1`
  const refund = { order: 'o-1001', amount_cents: 12_900, reason: 'arrived broken' }
  const body = `-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(refund))}`
  const psql = `PGPASSWORD=${token} psql 'host=127.0.0.1 port=${databasePort} dbname=orders user=${demoAgent}'`
  return `
Sallyport is running, between an agent and the API and the database of a small company.

  agents   ${agentsUrl}
  console  ${controlUrl}
  database 127.0.0.1:${databasePort}

Be the agent, in another terminal:

# allowed: it reads a customer
${curl} ${customer}

# denied: it deletes one
${curl} -X DELETE ${customer}

# held for up to five minutes: a refund of 129.00 waits for somebody who leads support
${curl} -H 'Prefer: wait=300' ${body} ${agentsUrl}/crm/v1/refunds

The same with the database, and its ordinary client. The agent's token is the password:

# allowed: it reads orders
${psql} -c "SELECT id, customer, amount_cents FROM orders"

# denied: it drops the table
${psql} -c "DROP TABLE orders"

# held for up to five minutes: deleting an order waits for somebody who leads support
${psql} -c "DELETE FROM orders WHERE id = 'o-1003'"

Be a person, while it waits: open ${controlUrl} and log in as Dana, who leads support.
Priya owns the agent, so she can look, and not approve. Or decide from here, as Dana:

${sallyport} approvals list
${sallyport} approvals watch

Afterwards: what happened, and the proof that nobody has changed it.

${sallyport} audit search
${sallyport} audit export --out audit.ndjson && ${sallyport} audit verify audit.ndjson

${end}
`
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
