// `sallyport serve` with another lease: node serve.ts <configuration> <lease> <margin>, both in milliseconds.
import { startGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'

const [file, leaseMs, marginMs] = process.argv.slice(2)
const times = { leaseMs: Number(leaseMs), marginMs: Number(marginMs) }
const gateway = await startGateway(loadConfig(file!, process.env), { times })
process.stderr.write(`agents   ${gateway.agentsUrl}\nconsole  ${gateway.controlUrl}\n`)
process.once('SIGTERM', () => void gateway.close())
