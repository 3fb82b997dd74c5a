import { isLoopback } from '../core/loopback.ts'
import type { Finding } from './finding.ts'
import type { Config } from './schema.ts'

/** Channels that contain places. Rules name a place after a colon. */
const chats = ['slack', 'teams'] as const
const titles = { slack: 'Slack', teams: 'Teams' } as const

/**
 * The channels that rules can name besides the console: `webhook:siem`, or `slack:` where a place
 * has to follow. Only the keys of `channels` are read.
 */
export function knownChannels(
  channels: Partial<Record<(typeof chats)[number], unknown>> & {
    readonly webhooks?: Readonly<Record<string, unknown>>
  },
): string[] {
  return [
    ...chats.filter((chat) => channels[chat] !== undefined).map((chat) => `${chat}:`),
    ...Object.keys(channels.webhooks ?? {}).map((name) => `webhook:${name}`),
  ]
}

export function* checkChannels({
  channels,
  identity,
}: Pick<Config, 'channels' | 'identity'>): Generator<Finding> {
  const { default: standard, slack, teams, webhooks } = channels
  const known = ['console', ...knownChannels(channels)]
  const named = [
    ...standard.to.map((place, i) => ({ place, path: ['to', i] })),
    ...(standard.escalate?.to ?? []).map((place, i) => ({ place, path: ['escalate', 'to', i] })),
  ]
  for (const { place, path } of named) {
    const isKnown = known.some((one) =>
      one.endsWith(':') ? place.startsWith(one) && place !== one : place === one,
    )
    if (!isKnown)
      yield {
        path: ['channels', 'default', ...path],
        message: `There is no channel "${place}".`,
        remedy: `Channels here: ${known.map((one) => (one.endsWith(':') ? `${one}…` : one)).join(', ')}.`,
      }
  }
  for (const chat of chats)
    if (channels[chat] && !identity.login)
      yield {
        path: ['channels', chat],
        message: `Nobody can vote from ${titles[chat]}: nobody can log in to say who they are there.`,
        remedy: 'Add identity.login.',
      }
  if (slack && !safe(slack.api_url)) yield { path: ['channels', 'slack', 'api_url'], ...insecure }
  for (const [name, url] of Object.entries(teams?.endpoints ?? {}))
    if (!safe(url)) yield { path: ['channels', 'teams', 'endpoints', name], ...insecure }
  for (const [name, { url }] of Object.entries(webhooks))
    if (!safe(url)) yield { path: ['channels', 'webhooks', name, 'url'], ...insecure }
}

const insecure = {
  message: 'What is sent over http:// can be read, and answered, by anybody on the way.',
  remedy: 'Use https://; http:// is for this machine only.',
}

const safe = (url: string): boolean => url.startsWith('https:') || isLoopback(url)
