const key = 'sallyport.return-to'

/**
 * The login goes through another site and comes back without the fragment; this tab remembers where
 * it was.
 */
export function rememberPlace(): void {
  if (location.hash) sessionStorage.setItem(key, location.hash)
}

export function returnToPlace(): void {
  const hash = sessionStorage.getItem(key)
  sessionStorage.removeItem(key)
  if (hash && !location.hash) location.replace(hash)
}
