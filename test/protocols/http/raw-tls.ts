import { once } from 'node:events'
import * as tls from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Gateway } from './gateway.ts'

/** Sends bytes as they are inside of TLS, and resolves with everything until the gateway ends the connection. It trusts whom it meets. */
export async function rawOverTls({ port }: Gateway, bytes: string): Promise<string> {
  const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  let text = ''
  socket.on('data', (chunk) => (text += chunk.toString('latin1'))).on('error', () => undefined)
  socket.write(bytes, 'latin1')
  await once(socket, 'close')
  return text
}
