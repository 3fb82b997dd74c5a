import { readFileSync } from 'node:fs'

// The manifest is two folders up, in the source as in the build.
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

export const { version } = JSON.parse(manifest) as { version: string }
