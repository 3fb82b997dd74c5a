import { Command } from 'commander'
import { connect } from '../../control-plane.ts'
import type { Terminal } from '../../terminal.ts'

export function revokeKey(terminal: Terminal): Command {
  return new Command('revoke')
    .description('end an agent key, at once')
    .argument('<id>')
    .action(async (id: string) => {
      const plane = await connect(terminal)
      await plane.delete(`/api/keys/${encodeURIComponent(id)}`)
      terminal.note('The key is revoked.')
    })
}
