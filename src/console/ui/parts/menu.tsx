import type { Me } from '../api/types.ts'
import { menuFor } from '../state/menu.ts'
import { pageHref, type Route } from '../state/route.ts'
import { Icon } from './icon.tsx'

/** The page of the menu that a place belongs to. */
const above = (page: Route['page']) =>
  ({ approval: 'inbox', story: 'activity', run: 'activity', link: 'settings' })[page as string] ??
  page

/** Beside the page at a desk, below it on a phone. */
export function Menu({ me, route, waiting }: { me: Me; route: Route; waiting: number }) {
  return (
    <nav class="menu" aria-label="Pages">
      {menuFor(me.roles).map(({ page, name }) => (
        <a href={pageHref(page)} aria-current={above(route.page) === page ? 'page' : undefined}>
          <Icon of={page} />
          <span>{name}</span>
          {page === 'inbox' && waiting > 0 && (
            <span class="waiting-count">
              {waiting}
              <span class="sr"> waiting</span>
            </span>
          )}
        </a>
      ))}
    </nav>
  )
}
