/** A suite that others have written for their driver, and how it is built and run on this machine. */
export interface Suite {
  /** Debian's source package. Without one, `build` takes the tests from what it needs. */
  readonly source?: string
  /** Programs and files that it needs, and the Debian packages that have them. */
  readonly needs: Readonly<Record<string, string>>
  /** Debian's binary packages that this release has too old or not at all: unpacked in $PACKAGES. */
  readonly packages?: readonly string[]
  /** Shell, in the folder of the source: run once. */
  readonly build: string
  /** Shell, in the folder of the source, with libpq's variables. Prints what `outcome` finds. */
  readonly run: string
  /** Of each test: its name, and how it came out. */
  readonly outcome: RegExp
  /** The first is there, and empty. The others it makes, or finds in every server. */
  readonly databases: readonly string[]
  readonly settings?: readonly string[]
  /** Tests that come out differently on purpose (docs/postgres.md, "What is different from a direct connection"), and why. */
  readonly different: Readonly<Record<string, string>>
  /** Files of tests that end early through the gateway, and why: what would have come behind has not run, and nothing else is excused. */
  readonly ends?: Readonly<Record<string, string>>
}

/** Why a test may come out differently. */
export const why = {
  who: 'who acts is who the token says, whatever the user name is',
  encoding: 'client_encoding is UTF8',
  strings: 'standard_conforming_strings is on',
  cancelled:
    'a statement that is over when it is cancelled directly still waits to be on record, so that it is cancelled',
  sizes: 'a message has 16 MiB at most',
  ahead:
    'the gateway reads on while a statement waits to be on record, so that its client has sent more when it hears of an error',
} as const
