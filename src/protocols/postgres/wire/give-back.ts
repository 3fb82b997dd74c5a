/**
 * Returns memory that nothing else lies in. The garbage collector would do the same, and work more
 * than everybody else in a stream.
 */
export function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
