import { Mark } from './parts/mark.tsx'
import { FailureNotice } from './parts/notice.tsx'
import { partyKey } from '../../core/subject.ts'
import { useSession } from './state/use-session.ts'
import { Shell } from './pages/shell.tsx'
import { Welcome } from './pages/welcome.tsx'

export function App() {
  const { session, ask } = useSession()
  switch (session.state) {
    case 'asking':
      return (
        <main class="welcome">
          <p role="status">Opening …</p>
        </main>
      )
    case 'out':
      return <Welcome />
    case 'failed':
      return (
        <main class="welcome">
          <Mark />
          <h1>Sallyport</h1>
          <FailureNotice failure={session.failure} again={ask} />
        </main>
      )
    case 'in':
      return <Shell key={partyKey(session.me.person)} me={session.me} askSession={ask} />
  }
}
