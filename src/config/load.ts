import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { MistakesError, type Mistake } from '../core/errors.ts'
import { checkShape } from '../core/shape.ts'
import { readYaml } from '../core/yaml.ts'
import { absoluteAudit } from './absolute-audit.ts'
import { crossCheck } from './cross-check.ts'
import { hideVariables, showVariables, substitute, type Environment } from './environment.ts'
import { configSchema, isPostgres, type Config, type TlsConfig } from './schema.ts'

/**
 * Reads `sallyport.yaml`. Paths in it are relative to its own folder, and come out absolute. Throws
 * `MistakesError` with every mistake that it can find, and never with a value from the file or the
 * environment, which may be a secret.
 */
export function loadConfig(path: string, environment: Environment): Config {
  const file = resolve(path)
  const unset: Mistake[] = []
  const source = readYaml(path, hideVariables(readText(file, path)), (value, place) =>
    substitute(value, environment, (message, remedy) =>
      unset.push({ file: path, ...place, message, remedy }),
    ),
  )
  const config = checkShape(configSchema, source)
  const located = config && absolute(config, dirname(file))
  const findings = located ? crossCheck(located) : []
  source.mistakes.push(
    ...findings.map(({ path: keys, message, remedy }) => ({
      file: path,
      ...source.place(keys),
      message,
      remedy,
    })),
  )
  // A value that is wrong only because its variable is not set is not reported a second time.
  const others = source.mistakes.filter(
    (mistake) => !unset.some((other) => samePlace(mistake, other)),
  )
  const mistakes = [...unset, ...others].map((mistake) => ({
    ...mistake,
    message: showVariables(mistake.message),
  }))
  if (mistakes.length > 0 || !located) throw new MistakesError(mistakes.toSorted(byPlace))
  return located
}

function readText(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    const message =
      code === 'ENOENT' ? 'There is no such file.' : `The file cannot be read (${code}).`
    const remedy = 'Name the configuration with --config; `npm start` runs without one.'
    throw new MistakesError([{ file: path, message, remedy }])
  }
}

function absolute(config: Config, folder: string): Config {
  const at = (path: string) => resolve(folder, path)
  const withTls = <Listener extends { readonly tls?: TlsConfig | undefined }>({
    tls,
    ...listener
  }: Listener) => ({
    ...listener,
    ...(tls && {
      tls: {
        ...tls,
        cert: at(tls.cert),
        key: at(tls.key),
        ...(tls.client_ca !== undefined && { client_ca: at(tls.client_ca) }),
        ...(tls.client_crl !== undefined && { client_crl: at(tls.client_crl) }),
      },
    }),
  })
  return {
    ...config,
    listen: { agents: withTls(config.listen.agents), control: withTls(config.listen.control) },
    data: at(config.data),
    secrets: { file: at(config.secrets.file) },
    policies: at(config.policies),
    audit: absoluteAudit(config.audit, at),
    resources: config.resources.map((resource) => {
      const ca = resource.ca === undefined ? {} : { ca: at(resource.ca) }
      return isPostgres(resource) ? { ...withTls(resource), ...ca } : { ...resource, ...ca }
    }),
  }
}

const samePlace = (a: Mistake, b: Mistake) => a.line === b.line && a.column === b.column

const byPlace = (a: Mistake, b: Mistake) =>
  (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
