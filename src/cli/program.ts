import { Command } from 'commander'
import { readFileSync } from 'node:fs'
import { approveApproval } from './commands/approvals/approve.ts'
import { denyApproval } from './commands/approvals/deny.ts'
import { listApprovals } from './commands/approvals/list.ts'
import { showOneApproval } from './commands/approvals/show.ts'
import { watchApprovals } from './commands/approvals/watch.ts'
import { exportAudit } from './commands/audit/export.ts'
import { searchAudit } from './commands/audit/search.ts'
import { createKey } from './commands/keys/create.ts'
import { listKeys } from './commands/keys/list.ts'
import { revokeKey } from './commands/keys/revoke.ts'
import { login } from './commands/login.ts'
import type { Terminal } from './terminal.ts'

export function createProgram(terminal: Terminal): Command {
  return new Command('sallyport')
    .description('The gateway between AI agents and production.')
    .version(version())
    .showHelpAfterError('(add --help for what there is)')
    .addCommand(login(terminal))
    .addCommand(
      group('approvals', 'what waits for people, and what they said', [
        listApprovals(terminal),
        showOneApproval(terminal),
        approveApproval(terminal),
        denyApproval(terminal),
        watchApprovals(terminal),
      ]),
    )
    .addCommand(
      group('audit', 'everything that happened', [searchAudit(terminal), exportAudit(terminal)]),
    )
    .addCommand(
      group('keys', 'agent keys', [createKey(terminal), listKeys(terminal), revokeKey(terminal)]),
    )
}

function group(name: string, description: string, commands: readonly Command[]): Command {
  return commands.reduce(
    (parent, command) => parent.addCommand(command),
    new Command(name).description(description),
  )
}

/** From the package's own manifest, which is two folders up from here both in the source and in the build. */
function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
