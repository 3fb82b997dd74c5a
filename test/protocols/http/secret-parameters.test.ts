import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readQuery } from '../../../src/protocols/http/query.ts'
import {
  secretParameters,
  secretValue,
  shownTarget,
  usualSecretParameters,
} from '../../../src/protocols/http/secret-parameters.ts'

const usual = secretParameters(usualSecretParameters)
const hidden = '(a secret, not shown)'

describe('a target is shown', () => {
  test.each([
    ['/v1/customers', '/v1/customers'],
    ['/v1?limit=10&api_key=S3CRET', `/v1?limit=10&api_key=${hidden}`],
    ['/v1?access_token=S3CRET#top', `/v1?access_token=${hidden}`],
    ['/v1?API-KEY=S3CRET&x=1', `/v1?API-KEY=${hidden}&x=1`],
    ['/v1?api%5Fkey=S3CRET', `/v1?api%5Fkey=${hidden}`],
    ['/v1?token[]=S3CRET', `/v1?token[]=${hidden}`],
    ['/v1?a=1;api_key=S3CRET;b=2', `/v1?a=1;api_key=${hidden}`],
    ['/v1?url=https://b/x?sig=S3CRET', `/v1?url=https://b/x?sig=${hidden}`],
    [
      '/o?X-Amz-Credential=AKIA&X-Amz-Security-Token=S3CRET&X-Amz-Signature=S3CRET',
      `/o?X-Amz-Credential=AKIA&X-Amz-Security-Token=${hidden}&X-Amz-Signature=${hidden}`,
    ],
    ['/b?sv=2024&se=2026&sp=r&sig=S3CRET', `/b?sv=2024&se=2026&sp=r&sig=${hidden}`],
    ['/v1?access_token&api_key=', '/v1?access_token&api_key='],
    ['/v1?page_token=abc&nextToken=x&monkey=1', '/v1?page_token=abc&nextToken=x&monkey=1'],
  ])('%s', (target, shown) => {
    expect(shownTarget(target, usual)).toBe(shown)
  })

  test('without what stands behind the name of a secret, whatever stands around it', () => {
    const name = fc.constantFrom('api_key', 'Access-Token', 'sig', 'key', 'client_secret')
    const around = fc.stringMatching(/^([a-z]{1,3}=[a-z0-9%;?=]{0,8}&){0,3}$/)
    fc.assert(
      fc.property(around, name, around, (before, secret, after) => {
        const target = `/v1?${before}${secret}=S3CRET&${after}`
        expect(shownTarget(target, usual)).not.toContain('S3CRET')
      }),
    )
  })
})

test('class 23: whatever an agent puts into a query, showing it looks at each character a few times', () => {
  let looked = 0
  const counting = (name: string) => {
    looked += name.length + 1
    return usual(name)
  }
  for (const piece of [';', '?', ';=', '=;', 'a', '=', ';a', 'api_key;', '%5F', '%']) {
    const target = `/v1?${piece.repeat(32_000 / piece.length)}=x`
    looked = 0
    shownTarget(target, counting)
    expect(looked).toBeLessThan(3 * target.length)
  }
})

describe('rules', () => {
  test('know that a secret is there, and nothing else of it; of the others, everything', () => {
    expect(readQuery('api_key=S3CRET&limit=10&ids[]=1&ids[]=2', usual)).toEqual({
      limit: '10',
      'ids[]': ['1', '2'],
      api_key: secretValue,
    })
    expect(JSON.stringify(readQuery('token[]=S3CRET&token[]=S3CRET', usual))).not.toContain('S3C')
    expect(JSON.stringify(readQuery('u=https://b/?sig=S3CRET', usual))).not.toContain('S3CRET')
  })

  test('read everything where a resource says that nothing is secret', () => {
    const none = secretParameters([])
    expect(readQuery('key=orders%2F1', none)).toEqual({ key: 'orders/1' })
    expect(shownTarget('/v1?key=orders%2F1', none)).toBe('/v1?key=orders%2F1')
  })
})
