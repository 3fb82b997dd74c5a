import type { Subject } from '../../core/subject.ts'

/** No URL, so it can never be the issuer of a token. */
export const filesIssuer = 'sallyport:gateway'

/**
 * Who changes files of the gateway: nobody can tell, so whoever administers it is taken for their
 * owner, and none of them approves the change. Without that role there is nobody who could be ruled
 * out, and a rule that holds such changes denies them (`owner-unknown`).
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
