import { isLoopback } from '../core/loopback.ts'
import type { Finding } from './finding.ts'
import type { AuditDeliveryConfig, Config } from './schema.ts'

/** Finds deliveries and anchors that cannot be meant as they are written. */
export function* checkAudit({ audit: { anchor, deliveries } }: Config): Generator<Finding> {
  for (const [i, { s3 }] of anchor.entries())
    if (!safe(s3?.endpoint)) yield { path: ['audit', 'anchor', i, 's3', 'endpoint'], ...insecure }
  const taken = new Map<string, string>()
  for (const [name, delivery] of Object.entries(deliveries)) {
    const path = ['audit', 'deliveries', name]
    const { s3, webhook, syslog, format } = delivery
    if (!safe(s3?.endpoint)) yield { path: [...path, 's3', 'endpoint'], ...insecure }
    if (!safe(webhook?.url)) yield { path: [...path, 'webhook', 'url'], ...insecure }
    if (syslog && format === 'csv')
      yield {
        path: [...path, 'format'],
        message: 'A message of syslog has no place for the head of a table.',
        remedy: 'Write cef, ndjson or ocsf.',
      }
    const place = placeOf(delivery)
    const other = place === null ? undefined : taken.get(place)
    if (other !== undefined)
      yield {
        path,
        message: `It would write the same files as "${other}".`,
        remedy: 'Give each of them a folder, or a prefix, of its own.',
      }
    else if (place !== null) taken.set(place, name)
  }
}

/** The place to which a delivery writes files; `null` for one that writes no files. */
function placeOf({ folder, s3, format }: AuditDeliveryConfig): string | null {
  if (folder !== undefined) return JSON.stringify([folder, format])
  return s3 ? JSON.stringify([s3.endpoint, s3.bucket, s3.prefix, format]) : null
}

const insecure = {
  message: 'The log, and what the gateway proves itself with, can be read on the way over http://.',
  remedy: 'Use https://; http:// is for this machine only.',
}

const safe = (url: string | undefined): boolean =>
  url === undefined || url.startsWith('https:') || isLoopback(url)
