export interface Customer {
  readonly id: string
  readonly name: string
  readonly email: string
  readonly plan: 'free' | 'team' | 'enterprise'
}

export interface Order {
  readonly id: string
  readonly customer: string
  readonly amount_cents: number
  readonly items: readonly string[]
}

/**
 * Nobody: names from the history of computing, at domains that are reserved for examples (RFC
 * 2606).
 */
export const demoCustomers: readonly Customer[] = [
  { id: 'c-1', name: 'Ada Lovelace', email: 'ada@example.com', plan: 'enterprise' },
  { id: 'c-2', name: 'Alan Turing', email: 'alan@example.com', plan: 'team' },
  { id: 'c-3', name: 'Grace Hopper', email: 'grace@example.org', plan: 'enterprise' },
  { id: 'c-4', name: 'Edsger Dijkstra', email: 'edsger@example.net', plan: 'free' },
]

export const demoOrders: readonly Order[] = [
  {
    id: 'o-1001',
    customer: 'c-1',
    amount_cents: 129_900,
    items: ['analytical engine, spare parts'],
  },
  { id: 'o-1002', customer: 'c-2', amount_cents: 4_200, items: ['paper tape', 'paper tape'] },
  { id: 'o-1003', customer: 'c-3', amount_cents: 99_00, items: ['moth tweezers'] },
  { id: 'o-1004', customer: 'c-1', amount_cents: 18_50, items: ['punched cards'] },
]
