import { join } from 'node:path'
import { replacePrivateFile } from '../config/private-file.ts'
import type { DemoIdentityProvider } from '../quickstart/identity-provider.ts'
import { writeProfile } from './profile.ts'

/**
 * Whose the CLI's profile is: a person who may approve some of what the demo agent asks for, and
 * read the audit log.
 */
const demoPerson = 'dana'
export const demoAgent = 'support-agent'

/** Files of the demo agent. */
export interface DemoAgent {
  /** The header that it sends, for `curl -H @file`. */
  readonly header: string
  /** Its token alone, which is its password where it asks a database. */
  readonly token: string
}

/**
 * What lets this machine be the demo agent, with curl and psql, and the demo person, with the CLI.
 */
export async function writeCredentials(
  data: string,
  controlUrl: string,
  provider: DemoIdentityProvider,
): Promise<DemoAgent> {
  const token = await provider.personToken(demoPerson)
  writeProfile(join(data, 'profile.json'), {
    url: controlUrl,
    token,
    expires_at: null,
    refresh: null,
  })
  const agentToken = await provider.agentToken(demoAgent)
  const agent = {
    header: join(data, `${demoAgent}.header`),
    token: join(data, `${demoAgent}.token`),
  }
  replacePrivateFile(agent.header, `Authorization: Bearer ${agentToken}\n`)
  replacePrivateFile(agent.token, `${agentToken}\n`)
  return agent
}
