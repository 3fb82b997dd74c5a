import { parentPort } from 'node:worker_threads'
import { CatalogueSnapshot } from './catalogue-snapshot.ts'
import { Parser } from './parser.ts'
import { readText } from './read-text.ts'
import type { Analysis, CatalogueData, SqlContext } from './statement.ts'

/** What goes to the thread. Data only, because methods cannot be sent. */
export interface ThreadRequest {
  readonly text: string
  readonly context: Omit<SqlContext, 'catalogue'>
  /** `known`: the same catalogue as in the request before. */
  readonly catalogue: CatalogueData | 'known' | null
}

/** What comes back. An `Unknown` in it arrives as a plain object with the same member. */
export type ThreadAnswer = Analysis

const parser = await Parser.load()
let last: CatalogueSnapshot | null = null

parentPort?.on('message', ({ text, context, catalogue }: ThreadRequest) => {
  if (catalogue !== 'known') last = catalogue && new CatalogueSnapshot(catalogue)
  const parse = (one: string) => parser.parse(one)
  const { analysis } = readText(text, { ...context, catalogue: last }, parse)
  parentPort?.postMessage(analysis satisfies ThreadAnswer, [])
})
