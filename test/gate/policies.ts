/** Refunds are held, for as many approvers as a test asks for; what is urgent is not waited for long. */
export function refundsNeed(quorum: number): string {
  return `
rules:
  - name: refunds-need-leads
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: leads }, quorum: ${quorum} }
  - name: urgent-ones-expire
    on: crm
    what: { http: { method: POST, path: /v1/urgent } }
    then: hold
    approval: { from: { group: leads }, quorum: ${quorum}, expires: 2s }
`
}

export const nobodyRefunds = `
rules:
  - name: nobody-refunds
    on: crm
    then: deny
`
