/**
 * The URL of a database with what its sessions are for in their name, so that whoever looks at them
 * can tell them from the others.
 */
export function named(url: string, purpose: string): string {
  const parsed = new URL(url)
  const name = parsed.searchParams.get('application_name') ?? 'sallyport'
  parsed.searchParams.set('application_name', `${name} ${purpose}`)
  return parsed.href
}
