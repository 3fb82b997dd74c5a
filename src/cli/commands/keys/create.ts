import { Command, Option } from 'commander'
import { z } from 'zod'
import { keyScopes } from '../../../identity/agent-key.ts'
import { connect } from '../../control-plane.ts'
import { held, noteHeld } from '../../held.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'
import { keySchema } from './list.ts'

interface Options {
  kind: string
  group?: string[]
  scope?: string[]
  owner?: string
  ownerGroup?: string
  expires?: string
  json?: boolean
}

export function createKey(terminal: Terminal): Command {
  return new Command('create')
    .description('make a key for an agent; it is shown once')
    .argument('<name>', 'lower-case letters, digits and dashes')
    .addOption(
      new Option('--kind <kind>', 'what presents it')
        .choices(['agent', 'service'])
        .default('agent'),
    )
    .option('--group <group>', 'a group that it is in; can be repeated', collect)
    .option(
      '--scope <scope>',
      `what it may read at the control plane (${keyScopes.join(', ')}); can be repeated`,
      collect,
    )
    .option('--owner-group <group>', 'the group that answers for it; you do, if left out')
    .option('--expires <time>', 'ISO 8601; never, if left out')
    .option('--json', 'as JSON')
    .action(
      async (
        name: string,
        { kind, group = [], scope = [], ownerGroup, expires, json }: Options,
      ) => {
        const plane = await connect(terminal)
        const answer = await plane.post(
          '/api/keys',
          {
            name,
            kind,
            groups: group,
            scopes: scope,
            ...(ownerGroup && { owner: { group: ownerGroup } }),
            ...(expires && { expires_at: expires }),
          },
          z.union([
            z.object({ key: keySchema, token: z.string() }),
            held.extend({ token: z.string() }),
          ]),
        )
        if (json) return terminal.print(jsonText(answer, 2))
        terminal.print(answer.token)
        terminal.note(`This is the only time that the key ${name} is shown.`)
        if ('approval' in answer) noteHeld(terminal, answer)
      },
    )
}

const collect = (value: string, all: readonly string[] = []): string[] => [...all, value]
