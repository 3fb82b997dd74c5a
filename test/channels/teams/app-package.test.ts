import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const folder = new URL('../../../examples/teams/', import.meta.url)
const read = (name: string) => readFileSync(new URL(name, folder))

it('the app package has what Teams asks for, and asks for nothing itself', () => {
  const manifest = JSON.parse(read('manifest.json').toString()) as Record<string, unknown>
  expect(manifest).toMatchObject({
    manifestVersion: '1.19',
    icons: { color: 'color.png', outline: 'outline.png' },
    bots: [{ scopes: ['team', 'personal', 'groupChat'] }],
  })
  expect(manifest).not.toHaveProperty('permissions')
  expect(manifest).not.toHaveProperty('authorization')
  const [bot] = manifest['bots'] as { botId: string }[]
  expect(bot!.botId).toBe(manifest['id'])
})

it.each([
  ['color.png', 192],
  ['outline.png', 32],
])('%s is a square of %i pixels', (name, size) => {
  const png = read(name)
  expect([png.readUInt32BE(16), png.readUInt32BE(20)]).toEqual([size, size])
})
