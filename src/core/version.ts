import { readFileSync } from 'node:fs'

// Two folders up from here, both in the source and in the build.
const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')

export const { version } = JSON.parse(manifest) as { version: string }
