import type { Queryable } from '../store/db.ts'

/** Makes the partitions that events of these months go to, where they are missing. */
export async function provideMonths(store: Queryable): Promise<void> {
  await store.query('SELECT sallyport.audit_provide_months()')
}
