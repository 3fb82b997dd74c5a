import type { Desk } from './desk.ts'
import { expected } from './expected.ts'
import { bind, execute, query, randomName, type Report } from './wire/messages.ts'

/** What no server can do: nobody has given anything this name. */
const poison = {
  query: (name: string) => query(`EXECUTE ${name}`),
  bind: (name: string) => bind(name, name),
  execute: (name: string) => execute(name),
}

/**
 * Sends something that the server must refuse, in the place of what is refused: so that what
 * follows is skipped, and the transaction fails, as with any error.
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
