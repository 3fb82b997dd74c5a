import { expect, test } from 'vitest'
import { cookiesFor } from '../../../src/console/cookies.ts'
import { ok } from '../../support/upstream.ts'
import { behind, request } from './gateway.ts'

// Cookies know no ports: with agents and the console on one host, a browser has one jar for both.

const names = [true, false].flatMap((secure) => {
  const { session, login, csrf } = cookiesFor(secure)
  return [session, login, csrf]
})

test('class 3: no upstream is shown a session of the console, and all others stay', async () => {
  const { upstream, gateway } = await behind()
  const ours = names.map((name) => `${name}=S3SSION`).join('; ')
  const sent = async (value: string) => {
    await gateway.raw(request('/crm/v1', { headers: [`Cookie: ${value}`] }))
    return upstream.requests.at(-1)!.headers.filter((line) => /^cookie:/i.test(line))
  }
  expect(await sent(`a=1; ${ours}; b="2"`)).toEqual(['cookie: a=1; b="2"'])
  expect(await sent(`${ours}; sallyport_of_others=3`)).toEqual(['cookie: sallyport_of_others=3'])
  expect(await sent(ours)).toEqual([])
  expect(await sent('a=1;b=2; ')).toEqual(['cookie: a=1;b=2;'])
})

test('class 3: no upstream says who is logged in at the console', async () => {
  const said = [...names, `=${names[0]}`, ` ${names[3]} `].map((name) => `${name}=PLANTED; Path=/`)
  const lines = [...said, 'mine=1'].map((one) => `Set-Cookie: ${one}\r\n`).join('')
  const { gateway } = await behind(() => ok('', lines))
  const answer = await gateway.raw(request('/crm/v1'))
  expect(answer).toContain('Set-Cookie: mine=1\r\n')
  expect(answer).not.toContain('PLANTED')
})
