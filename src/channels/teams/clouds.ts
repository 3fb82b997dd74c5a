import {
  PUBLIC,
  US_GOV,
  US_GOV_DOD,
  withOverrides,
  type CloudEnvironment,
} from '@microsoft/teams.api'
import type { TeamsConfig } from '../../config/schema.ts'

export interface Cloud {
  readonly environment: CloudEnvironment
  /** The address of the service for messages that the bot begins, without a slash at the end. */
  readonly service: string
}

/** The addresses are from Microsoft, "Send proactive messages". */
const clouds: Record<TeamsConfig['cloud'], Cloud> = {
  public: { environment: PUBLIC, service: 'https://smba.trafficmanager.net/teams' },
  gcc: { environment: PUBLIC, service: 'https://smba.infra.gcc.teams.microsoft.com/teams' },
  'gcc-high': { environment: US_GOV, service: 'https://smba.infra.gov.teams.microsoft.us/teams' },
  dod: { environment: US_GOV_DOD, service: 'https://smba.infra.dod.teams.microsoft.us/teams' },
}

export function cloudOf({ cloud, endpoints }: TeamsConfig): Cloud {
  const { environment, service } = clouds[cloud]
  const { login, metadata } = endpoints
  return {
    environment: withOverrides(environment, {
      ...(login !== undefined && { loginEndpoint: withoutSlash(login) }),
      ...(metadata !== undefined && { openIdMetadataUrl: metadata }),
    }),
    service: withoutSlash(endpoints.service ?? service),
  }
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '')
