import type { Desk } from './desk.ts'
import { expected } from './expected.ts'
import { bind, execute, query, randomName, type Report } from './wire/messages.ts'

/** Messages that every server must refuse, because nothing has this name. */
const poison = {
  query: (name: string) => query(`EXECUTE ${name}`),
  bind: (name: string) => bind(name, name),
  execute: (name: string) => execute(name),
}

/**
 * Sends a message that the server must refuse in place of the refused one. The transaction then
 * fails and what follows is skipped, as after any error.
 */
export async function refuse(
  { server, course }: Pick<Desk, 'server' | 'course'>,
  kind: keyof typeof poison,
  refusal: Report,
): Promise<void> {
  await server.drain()
  server.send(poison[kind](randomName()), expected(kind, { refusal }))
  if (kind === 'query') course.nextSegment()
}
