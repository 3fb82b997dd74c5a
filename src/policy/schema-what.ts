import { z } from 'zod'
import { operations } from '../core/gateway-itself.ts'
import type { Wanted } from './conditions/fields.ts'
import { list, text } from './schema-parts.ts'

const method = z.string().regex(/^[A-Z]+$/, 'Write a method in capitals, as in: GET')

const path = z
  .string()
  .regex(/^\/[^?#\s]*$/, 'Write a path from the first slash on, without a query: /v1/orders/:id')
  .refine((glob) => (glob.match(/(^|\/)\*\*(?=\/|$)/g) ?? []).length <= 1, {
    error: 'A path can have one `**` at most. Write two rules.',
  })
  .refine((glob) => glob.split('/').every(isSegment), {
    error: 'A segment can be `**`, or have one `*`.',
  })

function isSegment(segment: string): boolean {
  return segment === '**' || segment.split('*').length <= 2
}

const name = text.refine((value) => value.split('*').length <= 2, {
  error: 'A name can have one `*` at most.',
})

const scalar = z.union(
  [
    z.string(),
    z.boolean(),
    z.null(),
    z.number().refine((value) => !Number.isInteger(value) || Number.isSafeInteger(value), {
      error: 'This number is too large to be compared exactly.',
    }),
  ],
  'Write a text, a number, true, false or null.',
)

const wanted: z.ZodType<Wanted> = z.lazy(() =>
  z.union([list(scalar), fields], 'Write a value, a list of values, or fields of an object.'),
)

const fields = z
  .record(z.string(), wanted)
  .refine((value) => Object.keys(value).length > 0, { error: 'Name at least one field.' })

/** `what` of a rule: which actions it is about. */
export const what = z.strictObject({
  http: z
    .strictObject({
      method: list(method)
        .optional()
        .describe('hold and deny rules ignore case, and take HEAD for GET'),
      path: list(path)
        .optional()
        .describe(
          'the path below the prefix of the resource. `:name` (which `when` knows as `params.name`) and `*` stand for one segment, `*.csv` for part of one, `**` for any number of them',
        ),
      query: z
        .record(z.string(), list(z.string('Parameters are texts: write it in quotes.')))
        .optional()
        .describe('parameters, and the values that they may have'),
      json: fields
        .optional()
        .describe('fields of the JSON body, and the values that they may have'),
    })
    .optional()
    .describe('an HTTP request'),
  sql: z
    .strictObject({
      verb: list(text).optional().describe('what the statement does: select, insert, copy …'),
      tables: list(name)
        .optional()
        .describe('tables that it touches; without a schema, those of `public`'),
      columns: list(name)
        .optional()
        .describe('columns that it reads or writes: `email` of any table, or `customers.email`'),
      functions: list(name)
        .optional()
        .describe(
          'functions that it calls; an allow rule lists those that are not known to be harmless',
        ),
    })
    .optional()
    .describe('an SQL statement'),
  mcp: z
    .strictObject({
      tool: list(name).optional().describe('the tool that is called'),
      args: fields.optional().describe('its arguments, and the values that they may have'),
    })
    .optional()
    .describe('an MCP tool call'),
  tcp: z.strictObject({}).optional().describe('a TCP connection'),
  admin: z
    .strictObject({
      operation: list(z.enum(operations)).optional().describe('what is to be done to it'),
    })
    .optional()
    .describe('something that is done to the gateway itself; only `on: sallyport`'),
})
