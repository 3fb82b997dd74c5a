import { readFile } from 'node:fs/promises'
import { isIP, type Socket } from 'node:net'
import { hostname } from 'node:os'
import type { AuditDeliveryConfig } from '../../config/schema.ts'
import { dial, dialTls } from '../../core/dial.ts'
import { formats, type Format, type FormatName } from '../export/format.ts'
import { recorded, timeOf } from '../export/ocsf/recorded.ts'
import { whateverIsThere, type EventRow } from '../exported.ts'
import { DeliveryFailure, type Destination } from './destination.ts'

type SyslogConfig = NonNullable<AuditDeliveryConfig['syslog']>

/** In characters. Each batch takes one connection. */
const longest = 1024 * 1024
/**
 * Facility "log audit", severity "informational" (RFC 5424 §6.2.1). What an event means is in the
 * message.
 */
const priority = 13 * 8 + 6

/**
 * A collector of syslog (RFC 5424) over TLS (RFC 5425) or TCP (RFC 6587), with octet counting, so
 * that no message can contain the beginning of another. Syslog has no acknowledgement, so each
 * batch has a connection of its own, and counts as delivered when the collector closes it after our
 * end, which it does when it has read everything.
 */
export function syslogDestination(config: SyslogConfig, format: FormatName): Destination {
  const { line }: Format = formats[format]
  const host = headerOf(hostname(), 255)
  return {
    to: `syslog ${config.host}:${config.port}${config.tls === 'disable' ? '' : ' (TLS)'}`,
    longest,
    compressed: false,
    head: '',
    write: whateverIsThere((row) => framed(`${headOf(row, host)} ${line(row)}`)),
    async deliver({ body }, signal) {
      const socket = await connect(config)
      const abandon = () => socket.destroy(new Error('given up'))
      signal.addEventListener('abort', abandon, { once: true })
      try {
        await converse(socket, body)
      } catch (cause) {
        throw new DeliveryFailure(wordsFor(cause as NodeJS.ErrnoException), { cause })
      } finally {
        signal.removeEventListener('abort', abandon)
        socket.destroy()
      }
    },
  }
}

/** RFC 6587 §3.4.1. */
function framed(message: string): string {
  return `${Buffer.byteLength(message)} ${message}`
}

/**
 * Header and structured data (RFC 5424 §6.2, §6.3). `sequenceId` is the index in the log, counted
 * from 1 as the RFC demands. Repeated and missing messages can be told by it.
 */
function headOf(row: EventRow, host: string): string {
  const event = recorded(row)
  const { type, replica, index = 0 } = event
  const at = timeOf(event)
  const time = at === undefined ? '-' : new Date(at).toISOString()
  const sequence = (index % 2_147_483_647) + 1
  const id = headerOf(type, 32)
  return `<${priority}>1 ${time} ${host} sallyport ${headerOf(replica, 128)} ${id} [meta sequenceId="${sequence}"]`
}

/** Printable ASCII without spaces (RFC 5424 §6); a dash where nothing is left. */
function headerOf(text: string, length: number): string {
  return text.replace(/[^\x21-\x7e]/g, '').slice(0, length) || '-'
}

async function connect({ host, port, tls, ca, cert, key }: SyslogConfig): Promise<Socket> {
  if (tls === 'disable') return dial({ host, port })
  // Read for each connection, so that renewing a certificate needs no restart.
  const read = (file: string | undefined) => (file === undefined ? undefined : readFile(file))
  return dialTls(
    { host, port },
    {
      host,
      ...(!isIP(host) && { servername: host }),
      ...{ ca: await read(ca), cert: await read(cert), key: await read(key) },
    },
  )
}

/**
 * Writes everything, and waits for the other side's end. Rejects when that comes before everything
 * was written.
 */
function converse(socket: Socket, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = false
    let heard = false
    socket.on('end', () => {
      heard = said
      // An end before ours does not tell what was read.
      if (!said) socket.destroy()
    })
    socket.on('error', reject)
    socket.on('close', () => {
      if (heard) resolve()
      else reject(Object.assign(new Error('ended early'), { code: 'EPIPE' }))
    })
    socket.resume()
    socket.end(body, () => (said = true))
  })
}

function wordsFor({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ERR_IP_BLOCKED') return 'It has an address that nothing is sent to'
  if (code === 'ECONNRESET' || code === 'EPIPE') return `It closed before it had read all (${code})`
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code))
    return `There is no trust between it and the gateway (${code})`
  return `It cannot be reached${code ? ` (${code})` : ''}`
}
