import { WebhookChannel } from '../channels/webhook/channel.ts'
import type { ControlServer } from '../console/context.ts'
import type { Channel } from '../gate/notices/channel.ts'
import type { GateContext } from '../gate/context.ts'
import { Delivery } from '../gate/notices/delivery.ts'
import type { Foundation } from './foundation.ts'

/**
 * Opens every channel besides the console, and adds its routes to the control plane. `start` begins
 * to deliver; the control plane has to listen by then.
 */
export async function openChannels(
  { config, metrics }: Foundation,
  context: GateContext,
  control: ControlServer,
  consoleUrl: () => string,
  opened: AsyncDisposableStack,
): Promise<{ start(): void }> {
  // The configuration was checked: without a login nobody votes from a chat.
  const voting = { gate: context, consoleUrl, maxGroupAgeMs: config.identity.login?.session ?? 0 }
  // Imported only where they are used, because their libraries take tens of megabytes and a good
  // part of a second.
  const slack =
    config.channels.slack &&
    (await import('../channels/slack/open.ts')).openSlack(config.channels.slack, voting)
  if (slack?.routes) await control.register(slack.routes)
  const teams =
    config.channels.teams &&
    (await (await import('../channels/teams/open.ts')).openTeams(config.channels.teams, voting))
  if (teams) await control.register(teams.routes)
  const channels: Channel[] = [
    ...(slack ? [slack.channel] : []),
    ...(teams ? [teams.channel] : []),
    ...Object.entries(config.channels.webhooks).map(([name, it]) => new WebhookChannel(name, it)),
  ]
  return {
    start() {
      for (const channel of channels) {
        const delivery = new Delivery(channel, {
          gate: context,
          consoleUrl: consoleUrl(),
          onAttempt: (attempt) => metrics.attempted(attempt),
        })
        opened.adopt(delivery, (it) => it.stop())
      }
      if (!slack) return
      slack.start()
      opened.defer(() => slack.stop())
    },
  }
}
