import type {
  DiscardStmt,
  Node,
  TransactionStmt,
  VariableSetStmt,
  VariableShowStmt,
} from 'libpg-query'
import { constant } from './nodes.ts'
import { isHarmlessSetting } from './settings.ts'
import type { SessionChange } from './statement.ts'
import type { Walk } from './walk.ts'

/**
 * Reads BEGIN, COMMIT and the like. They need no decision of their own, because every statement in
 * the transaction has had one.
 */
export function readTransaction(statement: TransactionStmt, { found }: Walk): void {
  const { savepoint_name: name = '', chain = false } = statement
  const steps: Record<string, { command: string; change: SessionChange }> = {
    TRANS_STMT_BEGIN: { command: 'BEGIN', change: { kind: 'begin' } },
    TRANS_STMT_START: { command: 'START TRANSACTION', change: { kind: 'begin' } },
    TRANS_STMT_COMMIT: { command: 'COMMIT', change: { kind: 'commit', chain } },
    TRANS_STMT_ROLLBACK: { command: 'ROLLBACK', change: { kind: 'rollback', chain } },
    TRANS_STMT_SAVEPOINT: { command: 'SAVEPOINT', change: { kind: 'savepoint', name } },
    TRANS_STMT_RELEASE: { command: 'RELEASE', change: { kind: 'release', name } },
    TRANS_STMT_ROLLBACK_TO: { command: 'ROLLBACK', change: { kind: 'rollback-to', name } },
  }
  const twoPhase: Record<string, { command: string; change: SessionChange }> = {
    TRANS_STMT_PREPARE: {
      command: 'PREPARE TRANSACTION',
      change: { kind: 'prepare-transaction' },
    },
    TRANS_STMT_COMMIT_PREPARED: {
      command: 'COMMIT PREPARED',
      change: { kind: 'commit-prepared' },
    },
    TRANS_STMT_ROLLBACK_PREPARED: {
      command: 'ROLLBACK PREPARED',
      change: { kind: 'rollback-prepared' },
    },
  }
  const { kind = '' } = statement
  const step = steps[kind] ?? twoPhase[kind]
  if (!step) return found.obscure('It controls transactions in a way that is not understood.')
  found.command = step.command
  found.session.push(step.change)
  found.cannotUndo('it controls transactions')
  found.control = kind in steps
  // A prepared transaction may belong to somebody else.
  if (!found.control) found.raise('admin')
  found.add('verb', step.command.toLowerCase())
}

/** Reads SET and RESET, in all their spellings. */
export function readSet(statement: VariableSetStmt, { found }: Walk): void {
  const { kind, name = '', args, is_local: local = false } = statement
  const resets = kind === 'VAR_RESET' || kind === 'VAR_RESET_ALL'
  found.command = resets ? 'RESET' : 'SET'
  found.add('verb', resets ? 'reset' : 'set')
  if (kind === 'VAR_RESET_ALL') {
    found.session.push({ kind: 'set', name: null, values: null, local: false, harmless: true })
    found.control = true
    return
  }
  found.control = true
  if (kind === 'VAR_SET_MULTI') {
    for (const node of args ?? []) {
      if ('DefElem' in node) set(node.DefElem.defname ?? '', [node.DefElem.arg], local, found)
    }
    return
  }
  // SET x FROM CURRENT only occurs in CREATE FUNCTION. SET x TO DEFAULT is a RESET.
  const given = kind === 'VAR_SET_VALUE' ? (args ?? []) : null
  set(name, given, local, found)
}

function set(
  written: string,
  args: readonly (Node | undefined)[] | null,
  local: boolean,
  found: Walk['found'],
): void {
  const name = written.toLowerCase()
  const values = args?.map(constant).filter((value) => value !== null) ?? null
  const harmless = isHarmlessSetting(name, values)
  found.add('settings', name)
  found.session.push({ kind: 'set', name, values, local, harmless })
  if (harmless) return
  found.control = false
  found.add('verb', `${values ? 'set' : 'reset'} ${name}`)
  found.raise('admin')
  found.cannotUndo(`it changes ${name}`)
}

export function readShow({ name }: VariableShowStmt, { found }: Walk): void {
  found.command = 'SHOW'
  found.add('verb', 'show')
  if (name) found.add('settings', name.toLowerCase())
}

const discards: Readonly<Record<string, (SessionChange & { kind: 'discard' })['what']>> = {
  DISCARD_ALL: 'all',
  DISCARD_PLANS: 'plans',
  DISCARD_SEQUENCES: 'sequences',
  DISCARD_TEMP: 'temp',
}

export function readDiscard({ target }: DiscardStmt, { found }: Walk): void {
  const what = target && discards[target]
  if (!what) return found.obscure('It discards something that is not understood.')
  found.command = `DISCARD ${what.toUpperCase()}`
  found.add('verb', 'discard')
  found.control = true
  found.session.push({ kind: 'discard', what })
}
