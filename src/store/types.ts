import { TypeOverrides } from 'pg'
import { parseJson } from '../core/parse-json.ts'
import { StoreError } from './db.ts'

const json = 114
const jsonb = 3802
const int8 = 20
const int8Array = 1016

/**
 * `bigint` as a number. One that a double cannot hold exactly is an error, never a rounded value.
 */
function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new StoreError('22003', `${text} is beyond the integers that a number holds exactly`)
  }
  return value
}

function safeIntegers(text: string): (number | null)[] {
  const elements = text.slice(1, -1)
  if (elements === '') return []
  return elements.split(',').map((each) => (each === 'NULL' ? null : safeInteger(each)))
}

/**
 * How values come back, in both stores. Everything but `bigint`, `json` and `jsonb` is the driver's
 * default.
 */
export const columnTypes = new TypeOverrides()
// Some contain attributes, whose keys an agent can choose.
columnTypes.setTypeParser(json, parseJson)
columnTypes.setTypeParser(jsonb, parseJson)
columnTypes.setTypeParser(int8, safeInteger)
columnTypes.setTypeParser(int8Array, safeIntegers)
