import { join } from 'node:path'
import { replacePrivateFile } from '../config/private-file.ts'
import type { DemoIdentityProvider } from '../quickstart/identity-provider.ts'
import { writeProfile } from './profile.ts'

/** Whose the CLI's profile is: a person who may approve some of what the demo agent asks for, and read the audit log. */
const demoPerson = 'dana'
const demoAgent = 'support-agent'

/** What lets this machine be the demo agent, with `curl -H @file`, and the demo person, with the CLI. Resolves with the file of the agent. */
export async function writeCredentials(
  data: string,
  controlUrl: string,
  provider: DemoIdentityProvider,
): Promise<string> {
  const token = await provider.personToken(demoPerson)
  writeProfile(join(data, 'profile.json'), {
    url: controlUrl,
    token,
    expires_at: null,
    refresh: null,
  })
  const header = join(data, `${demoAgent}.header`)
  replacePrivateFile(header, `Authorization: Bearer ${await provider.agentToken(demoAgent)}\n`)
  return header
}
