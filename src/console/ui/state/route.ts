/** Where one is. It is the fragment, so that every address of the console is one file of the server's. */
export type Route = { readonly page: 'inbox' } | { readonly page: 'approval'; readonly id: string }

export function parseRoute(hash: string): Route {
  const id = /^#\/approvals\/([\w-]+)$/.exec(hash)?.[1]
  return id ? { page: 'approval', id } : { page: 'inbox' }
}

export const inboxHref = '#/'

export function approvalHref(id: string): string {
  return `#/approvals/${id}`
}
