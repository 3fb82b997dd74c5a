import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Govern } from '../../gate/governing/govern.ts'
import { newKeyPayload } from '../../gate/governing/key-errands.ts'
import { keyScopes, type AgentKey } from '../../identity/agent-key.ts'
import { createKey, draftKey, listKeys, revokeKey, type KeyDesk } from '../../identity/api-key.ts'
import { subjectOfPerson } from '../../identity/people.ts'
import { personOf } from '../caller.ts'
import { instant, party } from '../openapi.ts'
import { waiting, waitingForPeople } from '../waiting.ts'
import type { ControlServer } from '../context.ts'
import { wholeId } from '../whole-id.ts'

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'Use lower-case letters, digits and dashes.')
const group = z.string().min(1).max(200)
const scopes = z.array(z.enum(keyScopes))
const kind = z.enum(['agent', 'service'])

const shownKey = z.object({
  id: z.string(),
  name: z.string(),
  kind,
  groups: z.array(z.string()),
  scopes,
  owner: z.union([party, z.object({ group: z.string() })]),
  created_by: party,
  created_at: instant,
  expires_at: instant.nullable(),
  revoked_at: instant.nullable(),
  revoked_by: party.nullable(),
  last_used_at: instant.nullable().describe('to the minute'),
})

const newKey = z.strictObject({
  name: name.describe('what audit events and policies call it; never used twice'),
  kind: kind.default('agent'),
  groups: z.array(group).max(50).default([]),
  scopes: scopes.default([]).describe('what it may read at the control plane'),
  owner: z
    .union([
      z.strictObject({ group }),
      z.strictObject({ issuer: z.url().optional(), subject: z.string().min(1).max(512) }),
    ])
    .optional()
    .describe('who answers for it, and so never approves for it; you, if left out'),
  expires_at: instant.nullable().default(null),
})

const access = { roles: ['admin'] } as const

/** Agent keys: made, listed and revoked by people in the role admin. */
export async function keyRoutes(
  app: ControlServer,
  { govern, ...desk }: KeyDesk & { readonly govern: Govern },
): Promise<void> {
  app.get(
    '/api/keys',
    {
      config: { access },
      schema: {
        summary: 'All agent keys, the newest first, the revoked ones too',
        response: { 200: z.object({ keys: z.array(shownKey) }) },
      },
    },
    async () => ({ keys: (await listKeys(desk.store)).map(show) }),
  )

  app.post(
    '/api/keys',
    {
      config: { access },
      schema: {
        summary: 'Makes a key',
        description:
          '`token` is shown now, and never again. Where a rule holds it (202), it opens nothing until people have approved it.',
        body: newKey,
        response: {
          201: z.object({ key: shownKey, token: z.string() }),
          202: waitingForPeople.extend({ token: z.string() }),
        },
      },
    },
    async (request, reply) => {
      const person = personOf(request)
      const { name: called, kind: what, groups, scopes: may, owner, expires_at } = request.body
      const expiresAt = expires_at === null ? null : new Date(expires_at)
      if (expiresAt && expiresAt.getTime() <= Date.now()) {
        throw new Problem('bad-request', 'expires_at is in the past.')
      }
      const asked = {
        name: called,
        kind: what,
        groups,
        scopes: may,
        owner: ownerFrom(owner, person),
        expiresAt,
      }
      const draft = await draftKey(desk, asked)
      const held = await govern({
        operation: 'key.create',
        subject: subjectOfPerson(person),
        target: called,
        summary: `key.create ${called}`,
        payload: newKeyPayload(asked, draft.hash),
      })
      if (held) return reply.code(202).send({ ...waiting(held), token: draft.token })
      const { key, token } = await createKey(desk, person, asked)
      return reply.code(201).send({ key: show(key), token })
    },
  )

  app.post(
    '/api/keys/:id/revoke',
    {
      config: { access },
      schema: {
        summary: 'Ends a key, on every replica within a second',
        params: z.object({ id: wholeId }),
        response: { 200: z.object({ key: shownKey }), 202: waitingForPeople },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const person = personOf(request)
      const key = (await listKeys(desk.store)).find((one) => one.id === id)
      if (!key) throw new Problem('not-found', `There is no key ${id}.`)
      const held = await govern({
        operation: 'key.revoke',
        subject: subjectOfPerson(person),
        target: key.name,
        summary: `key.revoke ${key.name}`,
        payload: { operation: 'key.revoke', id, name: key.name },
      })
      if (held) return reply.code(202).send(waiting(held))
      return reply.code(200).send({ key: show(await revokeKey(desk, person, id)) })
    },
  )
}

/**
 * A person given without an issuer belongs to the issuer with which people log in, like the one who
 * asks.
 */
function ownerFrom(
  owner: z.output<typeof newKey>['owner'],
  { issuer, subject }: { issuer: string; subject: string },
): AgentKey['owner'] {
  if (owner === undefined) return { issuer, subject }
  if ('group' in owner) return owner
  return { issuer: owner.issuer ?? issuer, subject: owner.subject }
}

function show(key: AgentKey): z.output<typeof shownKey> {
  const { id, name: called, kind: what, groups, owner, createdBy, revokedBy } = key
  return {
    id,
    name: called,
    kind: what,
    groups: [...groups],
    scopes: [...key.scopes],
    owner,
    created_by: createdBy,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    revoked_by: revokedBy,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  }
}
