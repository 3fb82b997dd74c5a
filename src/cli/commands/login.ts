import { Command } from 'commander'
import { initiateDeviceAuthorization, pollDeviceAuthorizationGrant } from 'openid-client'
import { z } from 'zod'
import { discoverProvider } from '../../identity/provider.ts'
import { reach, refusalOf, understand } from '../control-plane.ts'
import { Refusal, UsageError } from '../errors.ts'
import { findProfile, isAddress, userProfile, writeProfile } from '../profile.ts'
import { expiry } from '../refresh.ts'
import type { Terminal } from '../terminal.ts'
import { visible } from '../../core/visible.ts'

const settings = z.object({
  issuer: z.url(),
  client_id: z.string(),
  audience: z.string(),
  scope: z.string().default('openid profile email offline_access'),
})

/** OAuth 2.0 Device Authorization Grant (RFC 8628). */
export function login(terminal: Terminal): Command {
  return new Command('login')
    .description('log in through your identity provider, and keep the token in your profile')
    .argument('[url]', 'address of the console; SALLYPORT_URL if left out')
    .action(async (argument?: string) => {
      const url = (argument ?? terminal.environment.SALLYPORT_URL)?.replace(/\/+$/, '')
      if (!url || !isAddress(url))
        throw new UsageError(
          url ? `${url} is no address.` : 'Where to log in?',
          'Name the address of the console: sallyport login https://sallyport.example.com',
        )
      const response = await reach(`${url}/api/login/settings`, {
        redirect: 'error',
        signal: terminal.interrupted,
      })
      if (!response.ok) throw await refusalOf(response)
      const { issuer, client_id, audience, scope } = await understand(response, settings)
      const provider = await discoverProvider(issuer, { id: client_id }).catch(refused)
      const request = {
        scope,
        audience,
        // RFC 8707, §2, requires a URI. Providers whose audiences have other names take them from
        // their own configuration.
        ...(URL.canParse(audience) && { resource: audience }),
      }
      const device = await initiateDeviceAuthorization(provider, request).catch(refused)
      terminal.note(`Open  ${visible(device.verification_uri_complete ?? device.verification_uri)}`)
      terminal.note(`Code  ${visible(device.user_code)}`)
      const tokens = await pollDeviceAuthorizationGrant(provider, device, request, {
        signal: terminal.interrupted,
      }).catch(refused)
      const { access_token: token, refresh_token, expires_in } = tokens
      const refresh = refresh_token ? { issuer, client_id, refresh_token } : null
      const file = userProfile(terminal.environment)
      writeProfile(file, { url, token, expires_at: expiry(expires_in), refresh })
      terminal.note(`Logged in. The profile is in ${file}`)
      const { file: used } = findProfile(terminal.environment, terminal.folder)
      if (used !== file)
        terminal.note(`In this folder, ${used ?? 'SALLYPORT_TOKEN'} goes before it.`)
    })
}

/** Quotes the provider's description of the error (RFC 6749, §5.2), where there is one. */
function refused(cause: unknown): never {
  const { error_description, message } = cause as { error_description?: string; message?: string }
  const why = error_description ?? message ?? 'no reason given'
  throw new Refusal(`The login did not succeed: ${visible(why)}`, {}, { cause })
}
