/** @fastify/http-proxy and nothing else: what Sallyport's forwarding is measured against. */
import httpProxy from '@fastify/http-proxy'
import { fastify } from 'fastify'

const [, , port, upstream] = process.argv
const app = fastify()
await app.register(httpProxy, { upstream: upstream! })
await app.listen({ host: '127.0.0.1', port: Number(port) })
console.log('ready')
