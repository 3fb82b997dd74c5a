import { z } from 'zod'
import { name } from './schema-parts.ts'

const label = name.max(64, 'Use at most 64 characters.')

const resource = z.string().min(1).describe('the resource that it is in')

/**
 * `datasets`: names for data in one or more places, by which its use is counted, shown and limited.
 */
export const datasets = z
  .array(
    z.strictObject({
      name: label.describe('what policies, the audit log and charts call it'),
      classes: z
        .array(label.describe('such as pii or financial'))
        .prefault([])
        .describe('kinds of data that are in it; policies and charts can count over a class'),
      tables: z
        .array(
          z.strictObject({
            on: resource,
            table: z
              .string()
              .regex(/^[^.*]+\.([^.*]+|\*)$/, 'Write schema and table, as in public.customers.')
              .describe('schema and table, as in public.customers; public.* is the whole schema'),
            columns: z
              .array(z.string().min(1))
              .min(1, 'Name at least one column, or leave `columns` out.')
              .optional()
              .describe('only these columns; any of them, if left out'),
          }),
        )
        .prefault([])
        .describe('tables that hold it'),
      routes: z
        .array(
          z.strictObject({
            on: resource,
            route: z
              .string()
              .regex(
                /^([A-Z]+|\*) \/\S*$/,
                'Write a method and a path, as in: GET /v1/customers/**',
              )
              .describe('method and path glob below the prefix of the resource; * is any method'),
          }),
        )
        .prefault([])
        .describe('routes that serve it'),
    }),
  )
  .prefault([])
  .describe(
    'data that is counted by a name of its own: which tables and routes it is behind, and what kind of data it is',
  )
