import type { Queryable } from '../store/db.ts'

/** Creates missing partitions for the events of the present and coming months. */
export async function provideMonths(store: Queryable): Promise<void> {
  await store.query('SELECT sallyport.audit_provide_months()')
}
