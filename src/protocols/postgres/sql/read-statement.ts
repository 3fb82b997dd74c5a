import type { LockStmt, Node, TruncateStmt } from 'libpg-query'
import { readCopy } from './copy.ts'
import { readCreateAs, readDefinition } from './ddl.ts'
import { readExpression } from './expression.ts'
import { readItem } from './from.ts'
import {
  readCode,
  readDeclare,
  readExecute,
  readExplain,
  readFetch,
  readPrepare,
} from './nested.ts'
import { untag, type NodeOf, type Struct, type Tag } from './nodes.ts'
import { limitOf, readQuery } from './query.ts'
import { readFrom, readRelation } from './relations.ts'
import { readDiscard, readSet, readShow, readTransaction } from './session-statements.ts'
import type { Readers, Walk } from './walk.ts'
import { writeTo } from './written.ts'

type Reader<T extends Tag> = (statement: NodeOf<T>, walk: Walk) => void

const statements: { readonly [T in Tag]?: Reader<T> } = {
  SelectStmt(select, walk) {
    walk.found.command = 'SELECT'
    walk.found.add('verb', 'select')
    walk.readers.query({ SelectStmt: select }, null, walk)
    walk.found.limit = limitOf(select)
  },
  InsertStmt: (statement, walk) => write('INSERT', { InsertStmt: statement }, walk),
  UpdateStmt: (statement, walk) => write('UPDATE', { UpdateStmt: statement }, walk),
  DeleteStmt: (statement, walk) => write('DELETE', { DeleteStmt: statement }, walk),
  MergeStmt: (statement, walk) => write('MERGE', { MergeStmt: statement }, walk),
  TruncateStmt: readTruncate,
  LockStmt: readLock,
  CopyStmt: readCopy,
  CreateTableAsStmt: readCreateAs,
  ExplainStmt: readExplain,
  PrepareStmt: readPrepare,
  ExecuteStmt: readExecute,
  DeclareCursorStmt: readDeclare,
  FetchStmt: readFetch,
  TransactionStmt: readTransaction,
  VariableSetStmt: readSet,
  VariableShowStmt: readShow,
  DiscardStmt: readDiscard,
  DoStmt: (_statement, walk) => readCode('do', null, walk),
  CallStmt: (statement, walk) => readCode('call', statement.funccall, walk),
  DeallocateStmt({ name = null }, { found }) {
    found.command = 'DEALLOCATE'
    found.add('verb', 'deallocate')
    found.control = true
    found.session.push({ kind: 'deallocate', name })
  },
  ClosePortalStmt({ portalname: name = null }, { found }) {
    found.command = 'CLOSE CURSOR'
    found.add('verb', 'close')
    found.control = true
    found.session.push({ kind: 'close', name })
  },
  ListenStmt({ conditionname: channel = '' }, { found }) {
    found.command = 'LISTEN'
    found.add('verb', 'listen')
    found.add('channels', channel)
    // What others send there will arrive without any statement.
    found.raise('write')
    found.session.push({ kind: 'listen', channel })
  },
  NotifyStmt({ conditionname: channel = '' }, { found }) {
    found.command = 'NOTIFY'
    found.add('verb', 'notify')
    found.add('channels', channel)
    found.raise('write')
    found.session.push({ kind: 'notify', channel })
  },
  UnlistenStmt({ conditionname: channel = null }, { found }) {
    found.command = 'UNLISTEN'
    found.add('verb', 'unlisten')
    found.control = true
    found.session.push({ kind: 'unlisten', channel })
  },
  // Deferred constraints may be checked now, and their triggers run.
  ConstraintsSetStmt(_statement, { found }) {
    found.command = 'SET CONSTRAINTS'
    found.add('verb', 'set')
    found.raise('write')
    found.hide('The triggers of constraints run.', 'reached')
  },
}

export const readers: Readers = {
  expression: readExpression,
  item: readItem,
  query: readQuery,
  relation: readRelation,
  statement: readStatement,
}

function readStatement(node: Node, walk: Walk): void {
  const [tag, inner] = untag(node) ?? ['', {}]
  const reader = statements[tag as Tag] as ((node: Struct, walk: Walk) => void) | undefined
  if (reader) return reader(inner, walk)
  if (readDefinition(tag, inner, walk)) return
  // Closed: a kind of statement from a newer server that nobody has looked at yet.
  walk.found.command = tag
  walk.found.add('verb', 'other')
  walk.found.obscure(`What ${tag} does is not understood.`)
  walk.found.clouds()
}

function write(command: string, node: Node, walk: Walk): void {
  walk.readers.query(node, null, walk)
  walk.found.command = command
}

function readTruncate({ relations, behavior }: TruncateStmt, walk: Walk): void {
  const { found } = walk
  found.command = 'TRUNCATE TABLE'
  found.takesAll = true
  for (const node of relations ?? []) {
    if (!('RangeVar' in node)) continue
    for (const { columns } of writeTo(node.RangeVar, ['truncate'], walk).sources) {
      for (const stored of columns.values()) found.add('columns', ...stored)
    }
  }
  if (behavior === 'DROP_CASCADE') found.hide('CASCADE also empties what refers to it.', 'reached')
  found.cannotUndo('TRUNCATE says how many rows there were to nobody')
}

function readLock({ relations }: LockStmt, walk: Walk): void {
  walk.found.command = 'LOCK TABLE'
  walk.found.add('verb', 'lock')
  for (const node of relations ?? []) {
    if ('RangeVar' in node) readFrom(node.RangeVar, walk)
  }
  walk.found.raise('write')
}
