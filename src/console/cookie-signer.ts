import { Signer } from '@fastify/cookie'
import type { Keyring } from '../config/keyring.ts'
import { inForce } from './in-force.ts'

/**
 * Signs cookies with the key that is current then, and knows those that any of the others has
 * signed.
 */
export function cookieSigner(keys: Keyring): Pick<Signer, 'sign' | 'unsign'> {
  const all = inForce(
    () => keys.all,
    (known) => new Signer(known.map(({ key }) => key)),
  )
  return {
    sign: (value) => new Signer(keys.current()).sign(value),
    unsign: (value) => all().unsign(value),
  }
}
