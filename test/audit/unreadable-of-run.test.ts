import { describe, expect, test } from 'vitest'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { buildWords } from '../../src/audit/search/build-words.ts'
import { readTrace } from '../../src/audit/trace.ts'
import { anIntent, startReplica } from '../support/audit.ts'
import { openOwnedStore, withoutTriggers } from '../support/owned-store.ts'
import { storeKinds } from '../support/store.ts'

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const another = 'a3ce929d0e0e47364bf92f3577b34da6'

describe.each(storeKinds)('a run of which somebody changed an event, in the %s store', (kind) => {
  async function scene() {
    const { store, asOwner } = await openOwnedStore(kind)
    const { audit } = await startReplica(store)
    /** Two actions of the run: one that ran, and one that was denied, around one of another run. */
    const ran = crypto.randomUUID()
    const denied = crypto.randomUUID()
    const action = (id: string) => ({ id, name: 'http.request' })
    await audit.append(anIntent({ trace, action: action(ran) }))
    const elsewhere = crypto.randomUUID()
    await audit.append(anIntent({ trace: another, action: action(elsewhere) }))
    await audit.append(anIntent({ trace, action: action(denied), decision: 'deny' }))
    const outcome = { result: 'succeeded' } as const
    await audit.append(anIntent({ trace, type: 'action.completed', action: action(ran), outcome }))
    await takeTurn(store, 0)
    await withoutTriggers(asOwner)
    const idOf = async (id: string, type = 'action.decided') => {
      const [row] = await store.query<{ id: string; body: Buffer }>(
        'SELECT id, body FROM sallyport.audit_events WHERE action = $1 AND type = $2',
        [id, type],
      )
      return row!
    }
    const put = (id: string, body: Buffer) =>
      asOwner(
        `UPDATE sallyport.audit_events SET body = '\\x${body.toString('hex')}' WHERE id = '${id}'`,
      )
    const words = async () => {
      while (await buildWords(store, 1));
    }
    const story = async (of = trace) => {
      const { actions, unreadable } = await readTrace(store, of)
      return { actions: actions.map(({ id }) => id), unreadable }
    }
    return { ran, denied, elsewhere, idOf, put, words, story }
  }

  test('names it beside what is left of its action, and the action that has nothing left', async () => {
    const { ran, denied, idOf, put, words, story } = await scene()
    await words()
    expect(await story()).toEqual({ actions: [ran, denied], unreadable: [] })
    const completed = await idOf(ran, 'action.completed')
    const decided = await idOf(denied)
    for (const said of [
      'garbage',
      '{"trace":"4bf9',
      '[]',
      '{}',
      '{"action":"none"}',
      '{"type":7}',
    ]) {
      await put(completed.id, Buffer.from(said))
      await put(decided.id, Buffer.from(said))
      const { actions, unreadable } = await story()
      expect([said, actions]).toEqual([said, [ran]])
      expect([said, ...unreadable.toSorted((a, b) => (a.id < b.id ? -1 : 1))]).toEqual([
        said,
        { id: decided.id, action: denied },
        { id: completed.id, action: ran },
      ])
      expect(await story(another)).toMatchObject({ unreadable: [] })
    }
    await put(completed.id, completed.body)
    await put(decided.id, decided.body)
    expect(await story()).toEqual({ actions: [ran, denied], unreadable: [] })
  })

  test('names what had no words yet, once that was found among the events of its time', async () => {
    const { ran, denied, elsewhere, idOf, put, words, story } = await scene()
    const decided = await idOf(denied)
    const others = await idOf(elsewhere)
    await put(decided.id, Buffer.from([0x7b, 0xff, 0x7d]))
    await put(others.id, Buffer.from('nothing'))
    await words()
    const { actions, unreadable } = await story()
    expect(actions).toEqual([ran])
    // Nobody can tell any more whose it was.
    expect(unreadable).toEqual(
      expect.arrayContaining([
        { id: decided.id, action: denied },
        { id: others.id, action: elsewhere },
      ]),
    )
    expect(unreadable).toHaveLength(2)
  })

  test('names what is all that there was of it', async () => {
    const { ran, denied, elsewhere, idOf, put, words, story } = await scene()
    await words()
    const only = await idOf(elsewhere)
    await put(only.id, Buffer.from('nothing'))
    expect(await story(another)).toEqual({
      actions: [],
      unreadable: [{ id: only.id, action: elsewhere }],
    })
    expect(await story()).toEqual({ actions: [ran, denied], unreadable: [] })
  })
})
