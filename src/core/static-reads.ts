import type { OnReadOpts, Socket } from 'node:net'

/** Bytes of a buffer that waits, and of one that reads a stream. */
const small = 8 * 1024
const usual = 256 * 1024

/**
 * Has a socket read into one buffer again and again: with a new one for each read, the garbage
 * collector works more than everybody else in a stream. What a `data` event gives is good until the
 * socket reads on; whoever needs it for longer pauses the socket, or copies it. `socket` gives the
 * one that is being made; `large` is in bytes, how much is read of a stream at once.
 */
export function staticReads(socket: () => Socket, large = usual): OnReadOpts {
  let next = Buffer.allocUnsafeSlow(small)
  return {
    buffer: () => next,
    callback: (count, buffer) => {
      const isFull = count === buffer.length
      if (isFull && count === small) next = Buffer.allocUnsafeSlow(large)
      // Most sessions have one long answer now and then, and nothing to read in between.
      else if (buffer.length === large && count < small) next = Buffer.allocUnsafeSlow(small)
      return socket().emit('data', (buffer as Buffer).subarray(0, count))
    },
  }
}
