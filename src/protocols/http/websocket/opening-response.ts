import type { Socket } from 'node:net'
import { Http1Response, type Http1Message } from '../client.ts'

/**
 * The response to an opening. Node has released the connection, so this does what Node would: the
 * connection ends with the answer, unless somebody takes it over. We have to read from it to notice
 * that a client has gone; one that sends something before it has an answer is hung up on, because
 * it has to wait (RFC 6455 §4.1).
 */
export function openingResponse(message: Http1Message, socket: Socket): Http1Response {
  const response = new Http1Response(message)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  const hangUp = (): void => void socket.destroy()
  socket.on('data', hangUp).on('end', hangUp).on('error', hangUp)
  response.on('finish', () => socket.destroySoon())
  response.upgrade = {
    take() {
      socket.off('data', hangUp).off('end', hangUp).off('error', hangUp)
      socket.pause()
      return socket
    },
  }
  return response
}
