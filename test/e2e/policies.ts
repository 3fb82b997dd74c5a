/** Policies that most end-to-end tests share. */
export const policies = {
  'crm.yaml': `
rules:
  - name: agents-read
    who: { group: agents }
    on: crm
    what: { http: { method: GET, path: /v1/** } }
    then: allow
  - name: agents-note
    who: { group: agents }
    on: crm
    what: { http: { method: [POST, PUT, PATCH], path: /v1/notes } }
    then: allow
  - name: refunds-need-a-support-lead
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    reason: LARGE_REFUND
    approval: { from: { group: support-leads } }
  - name: exports-need-two-owners
    on: crm
    what: { http: { method: POST, path: /v1/exports } }
    then: hold
    risk: high
    reason: PII_EXPORT
    approval: { from: { group: data-owners }, quorum: 2 }
  - name: nobody-deletes
    on: crm
    what: { http: { method: DELETE, path: /** } }
    then: deny
    reason: DESTRUCTIVE
`,
}
