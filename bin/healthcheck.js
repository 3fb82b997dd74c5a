// Exit code 0 when the gateway in this container can take work. SALLYPORT_READY_URL names another place to ask, https where the listener has TLS.
import http from 'node:http'
import https from 'node:https'

const url = process.env.SALLYPORT_READY_URL ?? 'http://127.0.0.1:8081/readyz'
const patience = 4_000

// It asks itself, by an address that no certificate names.
const options = { timeout: patience, rejectUnauthorized: false }

const request = (url.startsWith('https:') ? https : http).get(url, options, (response) => {
  response.pipe(process.stdout)
  process.exitCode = response.statusCode === 200 ? 0 : 1
})
request.on('timeout', () => request.destroy(new Error(`no answer in ${patience} ms`)))
request.on('error', (error) => {
  console.error(`${url} does not answer: ${error.code ?? error.message}`)
  process.exitCode = 1
})
