/**
 * SQL: chains `r` of the audit log that links may be added to, or have to be taken into the log yet.
 * `audit_tree_chains` only spares looking at those that are over and whole in the log: whoever has
 * the gateway's access to the database can note that of any.
 */
export const openChains = `sallyport.replicas r
  LEFT JOIN sallyport.audit_tree_chains c USING (replica, epoch)
  WHERE c.ended IS NOT TRUE OR r.closed_at IS NULL`

/** SQL: the place behind the last link of chain `r` that is in the log. */
export const nextOfChain = `coalesce((
  SELECT first + count FROM sallyport.audit_tree_stretches
   WHERE replica = r.replica AND epoch = r.epoch ORDER BY first DESC LIMIT 1), 1)`
