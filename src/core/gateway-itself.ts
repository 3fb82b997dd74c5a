/**
 * The resource that stands for the gateway itself, so that policies can hold or deny changes to it.
 * No configured resource may have this name.
 */
export const gatewayItself = 'sallyport'

/**
 * The operations on the gateway that can be held or denied. Each is the name of an action, and
 * `what.admin.operation` in a rule.
 */
export const operations = [
  'policy.activate',
  'identity.change',
  'secrets.rotate',
  'key.create',
  'key.revoke',
  'audit.export',
  'audit.retain',
  'legal_hold.create',
  'legal_hold.release',
] as const

export type Operation = (typeof operations)[number]
