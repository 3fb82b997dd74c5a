import { createServer, type ServerResponse } from 'node:http'

/** An upstream that holds every POST until GET /release, and says at GET /held how many there are. Its port is its argument. */
const held: ServerResponse[] = []

createServer((message, response) => {
  if (message.method === 'POST') {
    message.resume().on('end', () => held.push(response))
    return
  }
  const count = held.length
  if (message.url === '/release') for (const waiting of held.splice(0)) waiting.end('{}')
  response.end(String(count))
}).listen({ host: '127.0.0.1', port: Number(process.argv[2]), backlog: 20_000 }, () => {
  process.stdout.write('ready\n')
})
