import dns from 'node:dns'
import { expect, onTestFinished, test, vi } from 'vitest'
import { blockedAddresses } from '../../../src/core/blocked-addresses.ts'
import { startUpstream } from '../../support/upstream.ts'
import { problemIn, request, startGateway, statusOf } from './gateway.ts'

// Class 22: an upstream that is, or becomes, the metadata service of the machine (CVE-2025-66414; DNS rebinding).

test.for([
  'http://169.254.169.254',
  'http://169.254.0.1:8080/latest',
  'http://[fe80::1]',
  'http://[::ffff:169.254.169.254]',
  'http://[64:ff9b::a9fe:a9fe]',
  'http://[fd00:ec2::254]',
  'http://100.100.100.200',
  'http://168.63.129.16',
  // The URL parser reads these as 169.254.169.254.
  'http://2852039166',
  'https://169.254.169.254',
  'https://[::ffff:169.254.169.254]',
  'http://0xa9.0xfe.0xa9.0xfe',
])('%s is not dialled', async (upstream) => {
  const gateway = await startGateway([{ upstream }])
  onTestFinished(gateway.close)
  const answer = await gateway.raw(request('/crm/v1'))
  expect(statusOf(answer)).toBe(502)
  expect(problemIn(answer).detail).toBe('The upstream has an address that no upstream may have.')
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'failed' }])
})

test('ordinary addresses are not blocked', () => {
  for (const address of ['127.0.0.1', '10.0.0.1', '192.168.1.1', '1.1.1.1', '169.253.255.255']) {
    expect(blockedAddresses.check(address, 'ipv4')).toBe(false)
  }
  for (const address of ['::1', 'fd00::1', '2606:4700::1111', '::ffff:10.0.0.1']) {
    expect(blockedAddresses.check(address, 'ipv6')).toBe(false)
  }
})

test('a name is resolved once for each connection, and what was checked is what is dialled', async () => {
  const upstream = await startUpstream()
  onTestFinished(upstream.close)
  const gateway = await startGateway([{ upstream: `http://crm.test:${upstream.port}` }])
  onTestFinished(gateway.close)

  const answers = ['127.0.0.1', '169.254.169.254', '127.0.0.1']
  const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((
    _host: string,
    options: { all?: boolean },
    done: (error: null, ...found: unknown[]) => void,
  ) => {
    const address = answers.shift()
    if (options.all) done(null, [{ address, family: 4 }])
    else done(null, address, 4)
  }) as never)
  onTestFinished(() => lookup.mockRestore())
  // Each agent has a connection of its own.
  const as = (agent: string) => gateway.raw(request('/crm/v1').replace('alice', agent))
  expect(statusOf(await as('alice'))).toBe(200)
  expect(lookup).toHaveBeenCalledTimes(1)
  const rebound = await as('bob')
  expect(statusOf(rebound)).toBe(502)
  expect(problemIn(rebound).detail).toBe('The upstream has an address that no upstream may have.')
  expect(lookup).toHaveBeenCalledTimes(2)
  expect(statusOf(await as('carol'))).toBe(200)
  expect(upstream.requests).toHaveLength(2)
})

test('nothing in a request chooses where it is dialled', async () => {
  const [crm, other] = [await startUpstream(), await startUpstream()]
  onTestFinished(crm.close)
  onTestFinished(other.close)
  const gateway = await startGateway([{ upstream: crm.url }])
  onTestFinished(gateway.close)
  const authority = `127.0.0.1:${other.port}`
  for (const target of [
    `/crm/@${authority}/`,
    `/crm/:80@${authority}`,
    `/crm/http://${authority}`,
  ]) {
    await gateway.raw(request(target).replace('Host: gateway', `Host: ${authority}`))
  }
  expect(other.connections).toEqual([])
})
