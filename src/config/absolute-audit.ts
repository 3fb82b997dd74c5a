import type { Config } from './schema.ts'

const files = ['ca', 'cert', 'key', 'credentials_file'] as const

/** The section `audit` with its paths made absolute. */
export function absoluteAudit(
  { anchor, deliveries, ...rest }: Config['audit'],
  at: (path: string) => string,
): Config['audit'] {
  const withFiles = <
    Place extends { readonly [Name in (typeof files)[number]]?: string | undefined },
  >(
    place: Place,
  ): Place => {
    const named = files.filter((name) => place[name] !== undefined)
    return { ...place, ...Object.fromEntries(named.map((name) => [name, at(place[name]!)])) }
  }
  const placed = ([name, it]: [string, (typeof deliveries)[string]]) => [
    name,
    {
      ...it,
      ...(it.folder !== undefined && { folder: at(it.folder) }),
      ...(it.s3 && { s3: withFiles(it.s3) }),
      ...(it.webhook && { webhook: withFiles(it.webhook) }),
      ...(it.syslog && { syslog: withFiles(it.syslog) }),
    },
  ]
  return {
    ...rest,
    anchor: anchor.map((it) => ({
      ...it,
      ...(it.file !== undefined && { file: at(it.file) }),
      ...(it.s3 && { s3: withFiles(it.s3) }),
    })),
    deliveries: Object.fromEntries(Object.entries(deliveries).map(placed)) as typeof deliveries,
  }
}
