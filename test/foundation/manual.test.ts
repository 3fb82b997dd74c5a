import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createProgram } from '../../src/cli/program.ts'
import { configSchema } from '../../src/config/schema.ts'

const root = new URL('../../', import.meta.url)
const pages = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', ...markdown('docs/')]
const read = (path: string) => readFileSync(new URL(path, root), 'utf8')

function markdown(folder: string): string[] {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md'))
    .map((file) => folder + file)
}

/** As GitHub makes them of headings. */
function anchors(text: string): Set<string> {
  const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading!)
  return new Set(
    headings.map((heading) =>
      heading
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  )
}

test.each(pages)('%s points to files and headings that are there', (page) => {
  const here = new URL(page, root)
  const broken = [...read(page).matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target]) => target!)
    .filter((target) => !/^[a-z]+:/.test(target))
    .filter((target) => {
      const url = new URL(target, here)
      const { hash } = url
      url.hash = ''
      if (!existsSync(url)) return true
      return hash !== '' && !anchors(readFileSync(url, 'utf8')).has(decodeURI(hash.slice(1)))
    })
  expect(broken).toEqual([])
})

const program = createProgram({
  environment: {},
  folder: '/nonexistent',
  interrupted: new AbortController().signal,
  print: () => {},
  write: () => Promise.resolve(),
  note: () => {},
  run: () => Promise.reject(new Error('Nothing is run.')),
  ask: () => Promise.reject(new Error('Nobody is here.')),
})

function find(words: readonly string[]): { command: Command; rest: readonly string[] } {
  let command = program
  for (const [index, word] of words.entries()) {
    const next = command.commands.find((one) => one.name() === word)
    if (!next) return { command, rest: words.slice(index) }
    command = next
  }
  return { command, rest: [] }
}

/** Every command that a page tells its reader to run. */
function commandsIn(text: string): string[] {
  const blocks = [...text.matchAll(/^ *```sh\n([^]*?)^ *```$/gm)].map(([, block]) => block!)
  const lines = blocks.flatMap((block) => block.replaceAll(/\\\n\s*/g, ' ').split('\n'))
  const words = [...text.matchAll(/`([^`\n]+)`/g)].map(([, words]) => words!)
  return [...lines, ...words].flatMap((line) =>
    // `sallyport link 1` and the like begin what is hashed.
    [...line.matchAll(/(?:^|npx |&& |\| )sallyport ([a-z](?!\w+ \d$)[^|#;&]*)/g)].map(
      ([, found]) => found!,
    ),
  )
}

describe('the commands', () => {
  test.each(pages)('that %s names are there, with their options', (page) => {
    const wrong = commandsIn(read(page)).filter((line) => {
      const words = line.split(/\s+/)
      const { command, rest } = find(words)
      if (command === program) return true
      if (command.commands.length > 0 && /^[a-z]/.test(rest[0] ?? '')) return true
      const options = new Set(command.options.map(({ long }) => long))
      return rest
        .flatMap((word) => /^\[?(--[a-z-]+)/.exec(word)?.[1] ?? [])
        .some((option) => !options.has(option) && option !== '--help')
    })
    expect(wrong).toEqual([])
  })

  test('that there are, docs/cli.md has', () => {
    const leaves = (command: Command, path: string): string[] =>
      command.commands.length === 0
        ? [path]
        : command.commands.flatMap((one) => leaves(one, `${path} ${one.name()}`.trim()))
    const manual = read('docs/cli.md')
    const all = leaves(program, '')
    expect(all.length).toBeGreaterThan(25)
    const named = (path: string) => {
      const [last, ...before] = path.split(' ').toReversed()
      const group = before.toReversed().join(' ')
      return new RegExp(`\`${group && `${group} `}([a-z]+\\\\\\|)*${last}\\b`).test(manual)
    }
    expect(all.filter((path) => !named(path))).toEqual([])
  })
})

test.each(pages)('the configuration in %s has keys that there are', (page) => {
  const blocks = [...read(page).matchAll(/^( *)```yaml\n([^]*?)^ *```$/gm)]
  const known = Object.keys(configSchema.shape)
  for (const [, indent, text] of blocks) {
    const left = text!.replaceAll(new RegExp(`^${indent}`, 'gm'), '').replaceAll(/^ *…$/gm, '')
    // As it is once the environment is filled in.
    const yaml: unknown = parse(left.replaceAll(/\$\{(\w+)\}/g, '$1'))
    if (typeof yaml !== 'object' || yaml === null) continue
    for (const [key, value] of Object.entries(yaml)) {
      if (!known.includes(key)) continue
      const part = configSchema.shape[key as keyof typeof configSchema.shape]
      const { error } = part.safeParse(value)
      const unknown = JSON.stringify(error?.issues ?? []).includes('unrecognized_keys')
      expect(unknown ? error!.message : '', `${key} in\n${text}`).toBe('')
    }
  }
})
