import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'

export const keySchema = z.looseObject({
  id: z.string(),
  name: z.string(),
  kind: z.string(),
  groups: z.array(z.string()),
  owner: z.union([
    z.object({ issuer: z.string(), subject: z.string() }),
    z.object({ group: z.string() }),
  ]),
  expires_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
  last_used_at: z.string().nullable(),
})

export function listKeys(terminal: Terminal): Command {
  return new Command('list')
    .description('list agent keys, the newest first')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const plane = await connect(terminal)
      const answer = await plane.get('/api/keys', z.object({ keys: z.array(keySchema) }))
      if (json) return terminal.print(jsonText(answer, 2))
      if (answer.keys.length === 0) return terminal.note('Nothing here.')
      const rows = answer.keys.map((key) => [
        key.id,
        key.name,
        key.kind,
        'group' in key.owner ? `group ${key.owner.group}` : key.owner.subject,
        key.revoked_at ? 'revoked' : (key.expires_at ?? 'no end'),
        key.last_used_at,
      ])
      terminal.print(table(['ID', 'NAME', 'KIND', 'OWNER', 'ENDS', 'LAST USED'], rows))
    })
}
