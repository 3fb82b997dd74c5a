import type { FirstUse } from '../api/types.ts'
import { pageHref } from '../state/route.ts'
import { fullTime, logTime } from '../text/time.ts'
import { Data } from './data.tsx'

/** Who touched what that they had never touched before, as far as that is on record. */
export function FirstUses({ uses }: { uses: readonly FirstUse[] }) {
  return (
    <section class="first-uses" aria-labelledby="first-uses">
      <h2 id="first-uses">For the first time</h2>
      <p class="fine">
        The first action of a subject on record that ran and touched this. What was only denied or
        held does not count.
      </p>
      <table class="usage-table sheet">
        <caption class="sr">First uses, the newest first</caption>
        <thead>
          <tr>
            <th scope="col">Subject</th>
            <th scope="col">Touched</th>
            <th scope="col">On</th>
            <th scope="col">When</th>
            <th scope="col">
              <span class="sr">More</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {uses.map(({ at, subject, resource, item, action }) => (
            <tr key={`${action} ${resource} ${item}`}>
              <th scope="row">
                <Data text={subject} limit={60} />
              </th>
              <td>
                <Data text={item} limit={100} />
              </td>
              <td>
                <Data text={resource} limit={60} />
              </td>
              <td>
                <time dateTime={at} title={fullTime(at)}>
                  {logTime(at)}
                </time>
              </td>
              <td>
                <a href={pageHref('activity', { action })}>Activity</a>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
