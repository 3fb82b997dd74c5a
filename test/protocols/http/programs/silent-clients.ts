// Opens as many connections as it is told to, says nothing on them, and tells when they are open, and when all of them are closed again.
import { connect } from 'node:net'

process.on('message', ({ port, many }: { port: number; many: number }) => {
  let waiting = many
  let connected = 0
  let open = 0
  const settled = (): void => {
    waiting--
    if (waiting === 0) process.send!({ connected })
    else if (many - waiting + 200 <= many) dial()
  }
  const dial = (): void => {
    const socket = connect(port, '127.0.0.1')
    let counted = false
    const count = (): void => {
      if (!counted) settled()
      counted = true
    }
    socket.on('connect', () => {
      connected++
      open++
      count()
      socket.on('close', () => {
        open--
        if (waiting === 0 && open === 0) process.send!({ left: open })
      })
    })
    socket.on('error', count).resume()
  }
  // Two hundred at a time: more than that the system would keep waiting for a second.
  for (let i = 0; i < Math.min(200, many); i++) dial()
})
