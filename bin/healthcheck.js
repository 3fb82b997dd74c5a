// Exit code 0 when the gateway in this container can take work. SALLYPORT_READY_URL names another place to ask: another port, or https.
const url = process.env.SALLYPORT_READY_URL ?? 'http://127.0.0.1:8081/readyz'
const patience = 4_000

try {
  const response = await fetch(url, { signal: AbortSignal.timeout(patience) })
  console.log(await response.text())
  process.exitCode = response.ok ? 0 : 1
} catch (error) {
  console.error(`${url} does not answer: ${error.cause?.code ?? error.name}`)
  process.exitCode = 1
}
