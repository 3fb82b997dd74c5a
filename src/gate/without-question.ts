import { Unknown, type Attribute, type Attributes } from '../core/action.ts'

const notKept = 'a question to a model, which is not kept on record'

/**
 * Names of members and of models, as providers write them. Anything else could be part of a
 * question.
 */
const memberName = /^[a-z_]{1,64}$/
const modelName = /^[\w.:/@+-]{1,128}$/

/**
 * The attributes of a question to a model as they are kept on record: of its JSON, only the model,
 * numbers and switches. Rules look at a body to decide, which is no reason to keep what people ask.
 * A replay treats the other members as unknown.
 */
export function withoutQuestion(attributes: Attributes): Attributes {
  const { http } = attributes
  const json = http?.['json']
  if (json === undefined || json === null || json instanceof Unknown) return attributes
  return { ...attributes, http: { ...http, json: told(json) } }
}

/** The names of the members that were not kept; `null` where nothing was. */
export function notKeptIn(json: Attribute): readonly string[] | null {
  if (isNotKept(json)) return null
  const members = typeof json === 'object' && json !== null ? Object.entries(json) : []
  return members.flatMap(([name, value]) => (isNotKept(value as Attribute) ? [name] : []))
}

function told(json: Attribute): Attribute {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return { unknown: notKept }
  const members = Object.entries(json).filter(([name]) => memberName.test(name))
  return Object.fromEntries(
    members.map(([name, value]) => [
      name,
      isTold(name, value as Attribute) ? (value as Attribute) : { unknown: notKept },
    ]),
  ) as Attribute
}

function isTold(name: string, value: Attribute): boolean {
  if (name === 'model' && typeof value === 'string') return modelName.test(value)
  if (name === 'stream_options' && typeof value === 'object' && value !== null)
    return Object.entries(value).every(([key, one]) => memberName.test(key) && isSwitch(one))
  return isSwitch(value) || typeof value === 'number'
}

function isSwitch(value: unknown): boolean {
  return value === null || typeof value === 'boolean'
}

function isNotKept(value: Attribute): boolean {
  if (typeof value !== 'object' || value === null) return false
  return 'unknown' in value && value.unknown === notKept
}
