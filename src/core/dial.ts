import { connect, type Socket, type TcpNetConnectOpts } from 'node:net'
import * as tls from 'node:tls'
import { blockedAddresses } from './blocked-addresses.ts'
import { staticReads } from './static-reads.ts'

export interface Address {
  readonly host: string
  readonly port: number
}

/**
 * Connects to an address that somebody configured, unless it is, or resolves to, one that is
 * blocked: the socket fails with ERR_IP_BLOCKED then. The name is resolved once, and what was
 * checked is what is dialled.
 */
export function dial(address: Address): Socket {
  return connect(optionsFor(address))
}

/** The same. What it gives as `data` is good until it reads on: see `staticReads`. */
export function dialStatic(address: Address): Socket {
  // As much at once as Node reads itself: whoever waits keeps no more of what comes.
  const onread = staticReads(() => socket, 64 * 1024)
  const socket: Socket = connect({ ...optionsFor(address), onread })
  return socket
}

function optionsFor({ host, port }: Address): TcpNetConnectOpts {
  return { host, port, blockList: blockedAddresses, noDelay: true, keepAlive: true }
}

/**
 * The same with TLS on it. The TCP connection is made first, and by hand: `tls.connect` takes a
 * `blockList` and does not look at it.
 */
export function dialTls(address: Address, options: tls.ConnectionOptions): tls.TLSSocket {
  return tls.connect({ ...options, socket: dial(address) })
}
