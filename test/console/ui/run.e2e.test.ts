import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startDemoDatabase, type DemoDatabase } from '../../../src/quickstart/demo-database.ts'
import { startModelServer, type ModelServer } from '../../usage/model-server.ts'
import { expectAccessible, readAll } from '../chromium.ts'
import type { DemoCompany } from '../demo-company.ts'
import { describeInBrowser, goTo } from './in-browser.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const run = `00-${trace}-00f067aa0ba902b7-01`

let database: DemoDatabase
let model: ModelServer
let tools: Server
let company: () => DemoCompany
/** What the tool was given: the trace of the agent, and a span of the gateway's. */
let given: string | undefined

/** Asks the database through the gateway, in the trace that it was given. */
async function customerNamed(customer: string, traceparent: string): Promise<unknown[]> {
  const { databasePort: port, token: password } = company()
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'support-agent',
    password,
    database: 'orders',
  })
  await client.connect()
  try {
    const text = `SELECT name, email FROM customers WHERE id = '${customer}' /*traceparent='${traceparent}'*/`
    return (await client.query(text)).rows
  } finally {
    await client.end()
  }
}

async function startTools(): Promise<string> {
  tools = createServer((request, response) => {
    given = request.headers['traceparent'] as string
    customerNamed('c-1', given).then(
      (rows) => response.end(JSON.stringify(rows)),
      (error: Error) => response.writeHead(500).end(error.message),
    )
  })
  await once(tools.listen(0, '127.0.0.1'), 'listening')
  return `http://127.0.0.1:${(tools.address() as AddressInfo).port}`
}

async function world() {
  database = await startDemoDatabase({ port: 0 })
  model = await startModelServer()
  const resources = `
  - { name: models, protocol: http, match: { prefix: /models }, upstream: '${model.url}', usage: openai }
  - { name: tools, protocol: http, match: { prefix: /tools }, upstream: '${await startTools()}' }
`
  const rules = `rules:
  - { name: agents-ask-models-and-tools, who: { group: agents }, on: [models, tools], then: allow }
`
  return { database, more: { resources, rules } }
}

describeInBrowser('a run, as a page', world, (it) => {
  company = it.company
  afterAll(async () => {
    tools.close()
    model.close()
    await database.close()
  })

  test('an auditor reads from the model’s answer to the statement that people approved: who, what, and why', async () => {
    const { agentsUrl, token } = company()
    const headers = {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      traceparent: run,
    }
    const asked = { model: 'gpt-test', messages: [{ role: 'user', content: 'Who is c-1?' }] }
    const answer = await fetch(`${agentsUrl}/models/v1/chat/completions`, {
      ...{ method: 'POST', headers, body: JSON.stringify(asked) },
    })
    expect(answer.status).toBe(200)
    const called = fetch(`${agentsUrl}/tools/customer`, { headers })

    // Whoever answers for the data finds the run from what waits.
    const omar = await it.at('Omar Haddad')
    await omar.page.locator('[data-item]').first().click()
    await omar.page.getByRole('link', { name: 'What else this run of the agent did' }).waitFor()
    await readAll(omar.page)
    await omar.page.getByRole('button', { name: 'Approve once' }).click()
    expect((await called).status).toBe(200)
    expect(given).toMatch(new RegExp(`^00-${trace}-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$`))
    await omar.context.close()

    const { page, context, alarms } = await it.at('Dana Okafor')
    await goTo(page, `#/runs/${trace}`, 'A run, call by call')
    const calls = page.locator('.calls > li')
    await expect.poll(() => calls.count()).toBe(3)
    const [asks, calling, statement] = await calls.all()
    await asks!.getByText('POST /v1/chat/completions').waitFor()
    await calling!.getByText('GET /customer').waitFor()
    await statement!.getByText('SELECT name, email FROM customers').waitFor()
    expect(await statement!.innerText()).toContain('people were asked')
    expect(await statement!.innerText()).toContain('called by the one above')
    await statement!.getByText('What happened').click()
    await statement!.getByText('Voted to approve').waitFor()
    await statement!.getByText('emails-need-a-data-owner').first().waitFor()
    await asks!.getByText('What happened').click()
    await asks!.getByText('Event action.completed').click()
    await asks!.getByText('gpt-test').first().waitFor()
    await expectAccessible(page)
    expect(alarms).toEqual([])
    await context.close()
  })
})
