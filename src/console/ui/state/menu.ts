import type { Role } from '../../../core/person.ts'
import type { Page } from './route.ts'

interface Entry {
  readonly page: Page
  readonly name: string
  /** Who gets an answer there; left out, everybody. */
  readonly roles?: readonly Role[]
}

const entries: readonly Entry[] = [
  { page: 'inbox', name: 'Inbox' },
  { page: 'activity', name: 'Activity', roles: ['auditor'] },
  { page: 'usage', name: 'Usage', roles: ['auditor'] },
  { page: 'evidence', name: 'Evidence', roles: ['auditor'] },
  { page: 'policies', name: 'Policies', roles: ['approver', 'auditor', 'admin'] },
  { page: 'keys', name: 'Keys', roles: ['admin'] },
  { page: 'settings', name: 'Settings' },
]

/** The pages on which these roles find anything. The gateway decides by itself what it answers. */
export function menuFor(mine: readonly Role[]): readonly Entry[] {
  return entries.filter(({ roles }) => !roles || roles.some((role) => mine.includes(role)))
}
