/**
 * The resource that stands for the gateway: policies can hold what is done to it. No resource of
 * the configuration has this name.
 */
export const gatewayItself = 'sallyport'

/**
 * What is done to the gateway and can be held or denied: the name of the action, and
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
