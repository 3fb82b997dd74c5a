// Delivers the log of a database to a folder until it is killed: node deliver.ts <store> <folder>. Its turns last two seconds.
import { AuditDelivery } from '../../../../src/audit/delivery/deliver.ts'
import { folderDestination } from '../../../../src/audit/delivery/folder.ts'
import { settingsOf } from '../../../../src/audit/delivery/open.ts'
import { openPostgres } from '../../../../src/store/postgres.ts'
import { createLog } from '../../../../src/telemetry/log.ts'

const [url, folder] = process.argv.slice(2) as [string, string]
const destination = folderDestination(folder, 'ndjson')
const delivery = new AuditDelivery({
  name: 'd',
  destination,
  settings: settingsOf(destination, { format: 'ndjson', personal: true }),
  store: await openPostgres(url),
  personal: true,
  every: 0,
  maxEvents: 50,
  log: createLog('fatal'),
  onAttempt: ({ delivered }) => process.stdout.write(delivered ? 'delivered\n' : 'failed\n'),
  times: { lookEvery: 20, patience: 1_500, lease: 2_000, firstPause: 20, longestPause: 50 },
})
process.once('SIGTERM', () => void delivery.stop().then(() => process.exit()))
