import { createHash } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import { BodyReader } from '../wire/body-reader.ts'
import { cstring, int32, message, readReport } from '../wire/messages.ts'
import { channelBinding } from './channel-binding.ts'
import type { Conversation } from './conversation.ts'
import { ScramClient, type SaltedPasswords } from './scram.ts'
import { UpstreamRefusal } from './upstream-refusal.ts'

interface Login {
  readonly user: string
  readonly password: string
}

/**
 * Logs the gateway in, by the method that the server asks for (PostgreSQL documentation, "Message
 * Flow, Start-up"). Sends the password in clear text only inside TLS, where the server has proven
 * who it is. Rejects with an `UpstreamRefusal`, or with an `Error` for a server that breaks the
 * protocol.
 */
export async function authenticate(
  conversation: Conversation,
  { user, password }: Login,
  passwords: SaltedPasswords,
): Promise<void> {
  for (;;) {
    const { type, body } = await conversation.next()
    if (type === 'E') throw UpstreamRefusal.of(readReport(body))
    if (type === 'N' || type === 'v') continue
    if (type !== 'R') throw new Error(`it answered the start-up with ${type}`)
    const reader = new BodyReader(body)
    switch (reader.int32()) {
      case 0:
        return
      case 3:
        if (!(conversation.socket instanceof TLSSocket))
          throw new UpstreamRefusal(
            '08004',
            'The database asks for a password in clear text, and there is no TLS.',
          )
        conversation.send(message('p', cstring(password)))
        break
      case 5:
        conversation.send(message('p', cstring(md5(user, password, reader.bytes(4)))))
        break
      case 10:
        await scram(conversation, reader, passwords)
        break
      default:
        throw new UpstreamRefusal(
          '08004',
          'The database asks for a way of logging in that this gateway does not know.',
        )
    }
  }
}

function md5(user: string, password: string, salt: Buffer): string {
  const hash = (...parts: (string | Buffer)[]): string => {
    const md5 = createHash('md5')
    for (const part of parts) md5.update(part)
    return md5.digest('hex')
  }
  return `md5${hash(hash(password, user), salt)}`
}

async function scram(
  conversation: Conversation,
  reader: BodyReader,
  passwords: SaltedPasswords,
): Promise<void> {
  const offered: string[] = []
  for (let name = reader.text(); name !== ''; name = reader.text()) offered.push(name)
  const client = new ScramClient(offered, passwords, channelBinding(conversation.socket))
  const first = Buffer.from(client.first)
  conversation.send(message('p', cstring(client.mechanism), int32(first.length), first))
  const proof = await client.answer(await saslMessage(conversation, 11))
  conversation.send(message('p', Buffer.from(proof)))
  client.verify(await saslMessage(conversation, 12))
}

async function saslMessage(conversation: Conversation, expected: number): Promise<string> {
  const { type, body } = await conversation.next()
  if (type === 'E') throw UpstreamRefusal.of(readReport(body))
  const reader = new BodyReader(body)
  if (type !== 'R' || reader.int32() !== expected) throw new Error('it broke the SASL exchange off')
  return reader.rest().toString('utf8')
}
