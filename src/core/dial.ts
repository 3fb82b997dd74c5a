import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import * as tls from 'node:tls'
import { blockedAddresses } from './blocked-addresses.ts'
import { staticReads } from './static-reads.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Connects to a configured address, unless it is or resolves to a blocked one: then the socket
 * fails with ERR_IP_BLOCKED. The name is resolved once, so the checked address is the one that is
 * dialled.
 */
export function dial(address: Address): Socket {
  return connect(optionsFor(address))
}

/**
 * Does the same, with `staticReads`: the bytes of a `data` event are valid only until the socket
 * reads on.
 */
export function dialStatic(address: Address): Socket {
  // Reads no more at once than Node does, so that idle connections keep no more memory.
  const onread = staticReads(() => socket, 64 * 1024)
  const socket: Socket = connect({ ...optionsFor(address), onread })
  return socket
}

function optionsFor({ host, port }: Address): TcpNetConnectOpts {
  return { host, port, blockList: blockedAddresses, noDelay: true, keepAlive: true }
}

/**
 * Does the same with TLS. The TCP connection is made first and by hand, because `tls.connect`
 * accepts a `blockList` and ignores it.
 */
export function dialTls(address: Address, options: tls.ConnectionOptions): tls.TLSSocket {
  return tls.connect({ ...options, socket: dial(address) })
}
