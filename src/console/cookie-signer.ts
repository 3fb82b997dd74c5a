import { Signer } from '@fastify/cookie'
import type { Keyring } from '../config/keyring.ts'

/** Signs cookies with the key that is current then, and knows those that any of the others has signed. */
export function cookieSigner(keys: Keyring): Pick<Signer, 'sign' | 'unsign'> {
  const all = new Signer(keys.all.map(({ key }) => key))
  return {
    sign: (value) => new Signer(keys.current()).sign(value),
    unsign: (value) => all.unsign(value),
  }
}
