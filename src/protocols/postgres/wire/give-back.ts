/**
 * Frees the memory of a buffer that shares it with no other. The garbage collector would do so too,
 * but in a stream it would work more than all the rest of the gateway.
 */
export function giveBack({ buffer, byteLength }: Buffer): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffer.transfer(0)
}
