import { Unknown, type Action, type Attribute, type Attributes } from '../core/action.ts'
import type { Subject } from '../core/subject.ts'
import { namespaces, type Namespace } from './attributes.ts'
import type { TestCase, TestSubject } from './test-schema.ts'

export const attributeKinds = Object.keys(namespaces) as Namespace[]

const actionNames: Record<Namespace, string> = {
  http: 'http.request',
  sql: 'sql.statement',
  mcp: 'mcp.tool_call',
  tcp: 'tcp.connect',
  admin: 'sallyport.admin',
}

/** The action that a test describes. */
export function actionOf(test: TestCase, subject: TestSubject): Action {
  const kind = attributeKinds.find((one) => test[one] !== undefined)
  return {
    id: '00000000-0000-7000-8000-000000000000',
    name: kind ? actionNames[kind] : 'unknown',
    subject: subjectOf(test.subject, subject),
    resource: test.on,
    effect: test.effect,
    attributes: attributesOf(test),
    summary: test.name,
    agentReason: test.says ?? null,
    trace: null,
  }
}

/**
 * A test that names no function is about a statement without one; one that names no upgrade is
 * about an ordinary request.
 */
const unlessNamed: Partial<Record<Namespace, Record<string, Attribute>>> = {
  http: { upgrade: '' },
  sql: { functions: [] },
}

function attributesOf(test: TestCase): Attributes {
  const unknown = new Unknown('the test says so')
  const groups = attributeKinds.flatMap((kind) => {
    const missing = test.unknown
      .filter((path) => path.startsWith(`${kind}.`))
      .map((path) => [path.slice(kind.length + 1), unknown] as const)
    const given = test[kind]
    if (!given && missing.length === 0) return []
    const told = { ...unlessNamed[kind], ...given, ...Object.fromEntries(missing) }
    return [[kind, told] as const]
  })
  return Object.fromEntries(groups)
}

function subjectOf(name: string, { subject, ...rest }: TestSubject): Subject {
  return { ...rest, subject: subject ?? name, related: [] }
}
