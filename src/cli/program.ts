import { Command } from 'commander'
import { approveApproval } from './commands/approvals/approve.ts'
import { denyApproval } from './commands/approvals/deny.ts'
import { listApprovals } from './commands/approvals/list.ts'
import { showOneApproval } from './commands/approvals/show.ts'
import { watchApprovals } from './commands/approvals/watch.ts'
import { auditDeliveries } from './commands/audit/deliveries.ts'
import { eraseAudit } from './commands/audit/erase.ts'
import { auditEvidence } from './commands/audit/evidence.ts'
import { exportAudit } from './commands/audit/export.ts'
import { legalHolds } from './commands/audit/legal-hold.ts'
import { retainAudit } from './commands/audit/retain.ts'
import { searchAudit } from './commands/audit/search.ts'
import { verifyAudit } from './commands/audit/verify.ts'
import { createKey } from './commands/keys/create.ts'
import { listKeys } from './commands/keys/list.ts'
import { revokeKey } from './commands/keys/revoke.ts'
import { connectTo } from './commands/connect.ts'
import { demo } from './commands/demo.ts'
import { login } from './commands/login.ts'
import { migrate } from './commands/migrate.ts'
import { checkPolicies } from './commands/policy/check.ts'
import { explainPolicies } from './commands/policy/explain.ts'
import { proposePolicies } from './commands/policy/propose.ts'
import { replayPolicies } from './commands/policy/replay.ts'
import { reportPolicies } from './commands/policy/report.ts'
import { testPolicies } from './commands/policy/test.ts'
import { quickstart } from './commands/quickstart.ts'
import { rotateSecretsFile } from './commands/secrets/rotate.ts'
import { serve } from './commands/serve.ts'
import type { Terminal } from './terminal.ts'
import { version } from '../core/version.ts'

const whoAndWhat = `
Commands that ask a gateway ask its control plane, as the first of these that
is there:
  SALLYPORT_URL and SALLYPORT_TOKEN; ./data/profile.json, which \`npm start\`
  writes; the profile that \`sallyport login\` writes.

Exit code: 0 yes, 1 no (denied, not valid, not found, not reachable), 2 wrong use.`

export function createProgram(terminal: Terminal): Command {
  return new Command('sallyport')
    .description('The gateway between AI agents and production.')
    .version(version)
    .showHelpAfterError('(add --help for what there is)')
    .addHelpText('after', whoAndWhat)
    .addCommand(serve(terminal))
    .addCommand(quickstart(terminal))
    .addCommand(demo(terminal))
    .addCommand(migrate(terminal))
    .addCommand(
      group('policy', 'the policies, and what they would do', [
        checkPolicies(terminal),
        testPolicies(terminal),
        explainPolicies(terminal),
        replayPolicies(terminal),
        reportPolicies(terminal),
        proposePolicies(terminal),
      ]),
    )
    .addCommand(login(terminal))
    .addCommand(connectTo(terminal))
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
      group('audit', 'everything that happened', [
        searchAudit(terminal),
        exportAudit(terminal),
        verifyAudit(terminal),
        auditEvidence(terminal),
        auditDeliveries(terminal),
        eraseAudit(terminal),
        retainAudit(terminal),
        legalHolds(terminal),
      ]),
    )
    .addCommand(
      group('secrets', 'the keys that the gateway makes for itself', [rotateSecretsFile(terminal)]),
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
