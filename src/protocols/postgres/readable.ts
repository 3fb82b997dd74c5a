import { Rejection } from './rejection.ts'

/** What they have to be for a text to mean the same to the server as to whoever reads it here. */
const only: Readonly<Partial<Record<string, string>>> = {
  client_encoding: 'UTF8',
  standard_conforming_strings: 'on',
}

/** Throws a `Rejection` for a setting with which the server reads text in another way than the gateway. Closed: the session ends. */
export function requireReadable(name: string, value: string): void {
  const wanted = only[name]
  if (wanted === undefined || wanted === value) return
  throw new Rejection('0A000', `${name} has to be ${wanted} on connections through this gateway`)
}
