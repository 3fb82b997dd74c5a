import type { Subject } from '../../core/subject.ts'

/** No URL, so it can never be the issuer of a token. */
export const filesIssuer = 'sallyport:gateway'

/**
 * The subject of a change to the gateway's files. Nobody can tell who made it, so all
 * administrators count as its owners, and none of them may approve it. Where no administrators are
 * configured, nobody can be excluded, and a rule that holds such changes denies them
 * (`owner-unknown`).
 */
export function filesSubject(files: string, adminGroup: string | undefined): Subject {
  return {
    issuer: filesIssuer,
    subject: files,
    kind: 'service',
    groups: [],
    owner: adminGroup === undefined ? null : { group: adminGroup },
    chain: [],
    related: [],
    claims: {},
  }
}
