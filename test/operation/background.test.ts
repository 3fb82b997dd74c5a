import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { readdirSync, readFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { getPriority } from 'node:os'
import type { Worker } from 'node:worker_threads'
import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BackgroundThread } from '../../src/app/background/background-thread.ts'
import { StoreError } from '../../src/store/db.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createTestDatabase, storeKinds } from '../support/store.ts'
import { quiet } from '../support/audit.ts'

// What is done behind the audit log has a thread of its own, with sessions of its own: agents do not wait for it, also not when it dies.

const soon = { timeout: 60_000, interval: 50 }
const policies = {
  'crm.yaml':
    'rules:\n  - { name: reads, on: crm, what: { http: { method: GET } }, then: allow }\n',
}

/** Every thread that this process has begun since, the newest last. */
const threads: Worker[] = []
const begun = (message: unknown) => {
  const { worker } = message as { worker: Worker }
  if (worker.threadName === 'background') threads.push(worker)
}

/** Who of the database's sessions writes what: a table, and the name of an application. */
const watch = `
  CREATE TABLE public.written (what text, by text, PRIMARY KEY (what, by));
  CREATE FUNCTION public.note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
    BEGIN
      INSERT INTO public.written VALUES (TG_TABLE_NAME, current_setting('application_name')) ON CONFLICT DO NOTHING;
      RETURN NULL;
    END $$;
  CREATE TRIGGER note AFTER INSERT ON sallyport.audit_links FOR EACH STATEMENT EXECUTE FUNCTION public.note();
  CREATE TRIGGER note AFTER INSERT ON sallyport.audit_words FOR EACH STATEMENT EXECUTE FUNCTION public.note();
  CREATE TRIGGER note AFTER INSERT ON sallyport.audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION public.note();
  CREATE TRIGGER note AFTER INSERT ON sallyport.audit_tree_tiles FOR EACH STATEMENT EXECUTE FUNCTION public.note();
  CREATE TRIGGER note AFTER INSERT ON sallyport.usage_hours FOR EACH STATEMENT EXECUTE FUNCTION public.note();`

describe.runIf(storeKinds.includes('postgres'))('behind the audit log, on PostgreSQL', () => {
  let upstream: CountingUpstream
  let gateway: TestGateway
  let database: Client

  beforeAll(async () => {
    subscribe('worker_threads', begun)
    upstream = await startCountingUpstream()
    gateway = await startTestGateway({ upstream: upstream.url, policies })
    database = new Client({ connectionString: gateway.databaseUrl! })
    await database.connect()
    await database.query(watch)
  })

  afterAll(async () => {
    unsubscribe('worker_threads', begun)
    await database.end()
    await upstream.close()
  })

  async function ask(times: number): Promise<void> {
    const answers = Array.from({ length: times }, () => gateway.agent('/crm/v1/customers'))
    for (const answer of await Promise.all(answers)) {
      expect(answer.status).toBe(200)
      await answer.arrayBuffer()
    }
  }

  async function metrics(): Promise<string> {
    return (await fetch(`${gateway.controlUrl}/metrics`)).text()
  }

  async function rows<Row>(sql: string): Promise<Row[]> {
    return (await database.query(sql)).rows as Row[]
  }

  /** Everything that happened is in the signed log. What counts usage and builds words is behind that. */
  async function caughtUp(): Promise<boolean> {
    const [behind] = await rows<{ events: number }>(`
      SELECT (SELECT count(*) FROM sallyport.audit_events)::int * 3
           - (SELECT size FROM sallyport.audit_tree)::int
           - (SELECT next FROM sallyport.usage_progress)::int
           - (SELECT max(size) FROM sallyport.audit_checkpoints)::int AS events`)
    return behind!.events === 0
  }

  test('the main thread writes the events, and the thread behind it everything that follows from them', async () => {
    await ask(400)
    await expect
      .poll(() => rows('SELECT what, by FROM public.written ORDER BY what'), soon)
      .toEqual([
        { what: 'audit_checkpoints', by: 'sallyport background' },
        { what: 'audit_links', by: 'sallyport' },
        { what: 'audit_tree_tiles', by: 'sallyport background' },
        { what: 'audit_words', by: 'sallyport background' },
        { what: 'usage_hours', by: 'sallyport background' },
      ])
    await expect.poll(caughtUp, soon).toBe(true)
    expect(await metrics()).toMatch(/^sallyport_audit_backlog_events\{part="log"\} 0$/m)
  })

  test.runIf(process.platform === 'linux')('it gives way to the main thread', () => {
    const nice = readdirSync('/proc/self/task').flatMap((id) => {
      const stat = readFileSync(`/proc/self/task/${id}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return stat.includes('(background)') ? [Number(fields[16])] : []
    })
    expect(nice).toEqual([Math.min(getPriority() + 5, 19)])
  })

  test('its log is that of the gateway', async () => {
    // What the sequencer says when a turn of it fails, at its own time.
    await database.query('ALTER TABLE sallyport.audit_tree RENAME TO audit_tree_elsewhere')
    await expect.poll(gateway.logged, soon).toMatch(/"the transparency log is late/)
    await database.query('ALTER TABLE sallyport.audit_tree_elsewhere RENAME TO audit_tree')
    const lines = gateway.logged().trim().split('\n')
    const late = lines.map((line) => JSON.parse(line) as { msg: string })
    expect(late.find(({ msg }) => msg.startsWith('the transparency log is late'))).toMatchObject({
      level: 'warn',
      err: { type: 'StoreError', code: '42P01' },
    })
  })

  test('when it dies, again and again, agents notice nothing, and nothing is lost', async () => {
    for (let death = 1; death <= 3; death++) {
      const killed = threads.at(-1)!
      await Promise.all([ask(100), killed.terminate(), ask(100)])
      await expect.poll(() => threads.at(-1) !== killed, soon).toBe(true)
      await expect.poll(metrics, soon).toMatch(/^sallyport_background_up 1$/m)
      expect(await metrics()).toMatch(
        new RegExp(`^sallyport_background_restarts_total ${death}$`, 'm'),
      )
    }
    await expect.poll(caughtUp, soon).toBe(true)
    expect(gateway.logged()).toContain('the thread that works behind the audit log ended')
    const ready = await fetch(`${gateway.controlUrl}/readyz`)
    expect(ready.status).toBe(200)
  })

  test('who asks for a proof while there is no thread is told to come again', async () => {
    const [signed] = await rows<{ size: number }>(
      'SELECT max(size)::int AS size FROM sallyport.audit_checkpoints',
    )
    const manifest = () =>
      gateway.person('dana', `/api/audit/manifest?first=0&end=${signed!.size + 1}`)
    // It may be back before a busy machine has asked; then it dies again, and stays away for longer.
    const askedWithoutOne = async () => {
      await threads.at(-1)!.terminate()
      await ask(1)
      return (await manifest()).json()
    }
    await expect
      .poll(askedWithoutOne, soon)
      .toMatchObject({ type: 'https://sallyport.dev/problems/store-unavailable' })
    await expect.poll(async () => (await manifest()).status, soon).toBe(200)
  })

  test('closing waits for it: the last event is signed, and nothing is left of it', async () => {
    await ask(50)
    await gateway.close()
    const [log] = await rows<{ stopped: boolean; waiting: number }>(`
      SELECT EXISTS (SELECT FROM sallyport.audit_events WHERE type = 'gateway.stopped') AS stopped,
             (SELECT count(*) FROM sallyport.audit_events)::int
               - (SELECT max(size) FROM sallyport.audit_checkpoints)::int AS waiting`)
    expect(log).toEqual({ stopped: true, waiting: 0 })
    expect(threads.map(({ threadId }) => threadId)).toEqual(threads.map(() => -1))
    const left = `SELECT FROM pg_stat_activity WHERE application_name = 'sallyport background'
                  AND datname = current_database()`
    await expect.poll(() => rows(left), soon).toEqual([])
  })
})

describe.runIf(storeKinds.includes('postgres'))('a thread that hangs', () => {
  test('is cut off, and started again', async () => {
    const logged: string[] = []
    const thread = new BackgroundThread({
      url: await createTestDatabase(),
      aliveEvery: 2_000,
      replica: crypto.randomUUID(),
      places: { anchor: [], deliveries: {} },
      signing: () => [],
      log: createLog('warn', { write: (line) => void logged.push(line) }),
      onNews: () => undefined,
      onDeath: () => undefined,
    })
    const works = () =>
      thread.seal().then(
        () => true,
        () => false,
      )
    try {
      await expect.poll(works, soon).toBe(true)
      await loopForEver('background')
      const asked = await thread.seal().catch((error: unknown) => error)
      expect(asked).toMatchObject({ code: 'unavailable' })
      expect(logged.join('')).toContain('hangs, and is cut off')
      await expect.poll(works, soon).toBe(true)
    } finally {
      await thread.close()
    }
  })
})

/** Has every thread of this process that has this name run in circles. */
async function loopForEver(name: string): Promise<void> {
  const session = new Session()
  session.connect()
  const attached: string[] = []
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    if (params.workerInfo.title.includes(name)) attached.push(params.sessionId)
  })
  await session.post('NodeWorker.enable', { waitForDebuggerOnStart: false })
  for (const sessionId of attached) {
    const message = JSON.stringify({
      id: 1,
      method: 'Runtime.evaluate',
      params: { expression: 'for (;;);' },
    })
    await session.post('NodeWorker.sendMessageToWorker', { sessionId, message })
  }
  session.disconnect()
}

describe('a thread that cannot do its work', () => {
  test('is tried again and again, refuses what is asked of it, and can be closed at any time', async () => {
    let deaths = 0
    const thread = new BackgroundThread({
      url: 'postgres://nobody@127.0.0.1:1/nothing',
      replica: crypto.randomUUID(),
      places: { anchor: [], deliveries: {} },
      signing: () => [],
      log: quiet.child({}, { level: 'silent' }),
      onNews: () => undefined,
      onDeath: () => (deaths += 1),
    })
    const refused = await thread.seal().catch((error: unknown) => error)
    expect(refused).toBeInstanceOf(StoreError)
    expect(refused).toMatchObject({ code: 'unavailable', ambiguous: true })
    await expect.poll(() => deaths, soon).toBeGreaterThan(1)
    expect(thread.down).toBe(true)
    await thread.close()
    await expect(thread.seal()).rejects.toThrow('The thread that signs the log ended')
  })
})
