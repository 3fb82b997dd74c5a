import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as later } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { behind, request, statusOf } from './gateway.ts'
import { statusAt } from './programs/other-address.ts'

// Class 23: 10,000 connections that say nothing.

const many = 10_000

test('class 23: 10,000 connections that say nothing cost little memory, harm no neighbour, and go away', async () => {
  const limits = {
    max_connections: 2 * many,
    max_connections_per_address: 2 * many,
    headers_timeout: 15_000,
    idle_timeout: 15_000,
  }
  const { gateway } = await behind(undefined, {}, { limits })
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)
  const before = process.memoryUsage.rss()

  // In a process of their own: each process has so many files that it may have open.
  const clients = fork(new URL('programs/silent-clients.ts', import.meta.url), {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(() => void clients.kill())
  clients.send({ port: gateway.port, many })
  const [{ connected }] = (await once(clients, 'message')) as [{ connected: number }]
  expect(connected).toBe(many)

  const each = (process.memoryUsage.rss() - before) / many
  expect(each).toBeLessThan(32 * 1024)
  for (let i = 0; i < 50; i++) expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)

  const [{ left }] = (await once(clients, 'message')) as [{ left: number }]
  expect(left).toBe(0)
})

test('class 23: with the usual limits, one address has no more than its share of them', async () => {
  const { gateway } = await behind()
  const clients = fork(new URL('programs/silent-clients.ts', import.meta.url), {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  onTestFinished(() => void clients.kill())
  clients.send({ port: gateway.port, many: 3_000 })
  await once(clients, 'message')
  // A neighbour at another address is served.
  await later(100)
  expect(await statusAt('127.0.0.2', gateway.port)).toBe(200)
})
