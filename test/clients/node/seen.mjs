import { env, stdout } from 'node:process'

/** What a session is told by libpq's variables. */
export const address = {
  host: env.PGHOST,
  port: Number(env.PGPORT),
  database: env.PGDATABASE,
  user: env.PGUSER,
  password: env.PGPASSWORD,
}

const plain = (_, value) => (typeof value === 'bigint' ? `${value}n` : value)

/** Prints a line of JSON. */
export const see = (...what) => stdout.write(`${JSON.stringify(what, plain)}\n`)

/** What an error is for whoever catches it: what the server said, wherever it is kept. */
function said(error) {
  const { cause, original, nativeError, meta } = error
  const inner = cause ?? original ?? nativeError ?? meta?.driverAdapterError
  if (inner) return { code: error.code, of: said(inner) }
  const { code, severity, message, detail, hint, constraint, originalCode, originalMessage } = error
  return { code, severity, message, detail, hint, constraint, originalCode, originalMessage }
}

/** Prints how it fails. */
export async function fails(work) {
  try {
    await work()
  } catch (error) {
    return see(error.name, said(error))
  }
  throw new Error('it did not fail')
}
