import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { gatewayClient, type GatewayClient } from './gateway-client.ts'
import { writeTestFolder, type TestGatewayOptions } from './gateway.ts'
import { atEnd } from './store.ts'
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts'

/** A gateway in a process of its own, to be killed at the worst moment. */
export interface GatewayProcess extends GatewayClient {
  readonly agentsUrl: string
  readonly controlUrl: string
  /** Everything that it wrote. */
  output(): string
  /** SIGSTOP and SIGCONT take effect at once; for the others, `ended` says when. */
  signal(signal: NodeJS.Signals): void
  /** Its exit code, `null` when a signal ended it. */
  readonly ended: Promise<number | null>
}

interface How {
  /** Through the command line, and so with the lease that users have. */
  readonly asInstalled?: boolean
  /** Milliseconds by which its clock jumps at each SIGUSR2. */
  readonly jumpMs?: number
}

/** A configured gateway that can be started, in as many processes as one likes. All of them end with the file's tests. */
export async function configureGateway(options: TestGatewayOptions) {
  const issuer = await startTokenIssuer()
  atEnd(() => issuer.close())
  const { folder, file } = await writeTestFolder(options, issuer)
  return {
    folder,
    start: (how: How = {}) => startGatewayProcess({ file, issuer }, how),
  }
}

/** A lease that is over soon after its process, in milliseconds. It is renewed every other second; a busy machine may be late with that by three. */
const shortLease = { leaseMs: 6_000, marginMs: 1_000 }

const serve = fileURLToPath(new URL('serve.ts', import.meta.url))
const jumpingClock = new URL('jumping-clock.ts', import.meta.url).href
const cli = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))

/** Starts one on a configuration. */
async function startGatewayProcess(
  { file, issuer }: { file: string; issuer: TokenIssuer },
  { asInstalled = false, jumpMs }: How,
): Promise<GatewayProcess> {
  const { leaseMs, marginMs } = shortLease
  const argv = asInstalled
    ? [cli, 'serve', '--config', file]
    : [serve, file, String(leaseMs), String(marginMs)]
  const clock = jumpMs === undefined ? [] : ['--import', jumpingClock]
  const child = spawn(process.execPath, [...clock, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...(jumpMs !== undefined && { JUMP_MS: String(jumpMs) }) },
  })
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  atEnd(async () => {
    child.kill('SIGKILL')
    await ended
  })

  let output = ''
  const addresses = new Promise<{ agentsUrl: string; controlUrl: string }>((resolve, reject) => {
    const heard = (chunk: Buffer): void => {
      output += String(chunk)
      const agentsUrl = /^agents +(\S+)$/m.exec(output)?.[1]
      const controlUrl = /^console +(\S+)$/m.exec(output)?.[1]
      if (agentsUrl && controlUrl) resolve({ agentsUrl, controlUrl })
    }
    child.stdout.on('data', heard)
    child.stderr.on('data', heard)
    void ended.then(() => reject(new Error(`the gateway ended before it listened:\n${output}`)))
  })
  const { agentsUrl, controlUrl } = await addresses
  return {
    ...gatewayClient(issuer, () => ({ agentsUrl, controlUrl })),
    agentsUrl,
    controlUrl,
    output: () => output,
    signal: (signal) => void child.kill(signal),
    ended,
  }
}
