/**
 * The URL of a database with a purpose added to the sessions' name, so that they can be told apart
 * on the server.
 */
export function named(url: string, purpose: string): string {
  const parsed = new URL(url)
  const name = parsed.searchParams.get('application_name') ?? 'sallyport'
  parsed.searchParams.set('application_name', `${name} ${purpose}`)
  return parsed.href
}
