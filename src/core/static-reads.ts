import type { OnReadOpts, Socket } from 'node:net'

/** Bytes of the buffer of an idle connection, and of one that streams. */
const small = 8 * 1024
const usual = 256 * 1024

/**
 * Has a socket read into the same buffer again and again. With a new buffer for each read, the
 * garbage collector would work more than everything else in a stream. The bytes of a `data` event
 * are valid until the socket reads on; who needs them for longer pauses the socket or copies them.
 * `socket` returns the socket that is being made. `large`: the most bytes that are read at once.
 */
export function staticReads(socket: () => Socket, large = usual): OnReadOpts {
  let next = Buffer.allocUnsafeSlow(small)
  return {
    buffer: () => next,
    callback: (count, buffer) => {
      const isFull = count === buffer.length
      if (isFull && count === small) next = Buffer.allocUnsafeSlow(large)
      // Most connections have one long answer now and then, and need no large buffer in between.
      else if (buffer.length === large && count < small) next = Buffer.allocUnsafeSlow(small)
      return socket().emit('data', (buffer as Buffer).subarray(0, count))
    },
  }
}
