import S3rver from '@20minutes/s3rver'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { atEnd } from './store.ts'

/** Object storage that speaks S3, checks the signature and the content hash of every request, and has one bucket. */
export class S3Server {
  /** Its only bucket, and the credentials that it knows. */
  readonly bucket = 'audit'
  readonly key = 'S3RVER'
  url = ''
  /** Headers of each request, the oldest first. */
  readonly requests: Record<string, string | string[] | undefined>[] = []
  /** Answers in its place: a status, or `null` for a connection that ends; `undefined` leaves it alone. */
  instead: (path: string) => number | null | undefined = () => undefined
  /** Of its temporary credentials: without it, nothing is taken. */
  token: string | null = null
  readonly #folder = mkdtempSync(join(tmpdir(), 'sallyport-s3-'))

  static async start(): Promise<S3Server> {
    const s3 = new S3Server()
    const store = new S3rver({
      directory: s3.#folder,
      silent: true,
      configureBuckets: [{ name: s3.bucket, configs: [] }],
    })
    await store.configureBuckets()
    const serve = store.callback()
    const server = createServer((request, response) => {
      s3.requests.push(request.headers)
      const status = s3.instead(request.url ?? '')
      const [asked = null] = [request.headers['x-amz-security-token']].flat()
      if (asked !== s3.token) {
        const code = asked === null ? 'AccessDenied' : 'ExpiredToken'
        const error = `<Error><Code>${code}</Code><Token>${asked}</Token></Error>`
        request.resume().on('end', () => response.writeHead(400).end(error))
      } else if (status === undefined) serve(request, response)
      else if (status === null) request.socket.destroy()
      else request.resume().on('end', () => response.writeHead(status).end())
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    s3.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    atEnd(async () => {
      server.close()
      rmSync(s3.#folder, { recursive: true })
    })
    return s3
  }

  /** What `sallyport.yaml` says of it. */
  config(more: object = {}): object {
    const { bucket, key, url: endpoint } = this
    return {
      ...{ bucket, endpoint, region: 'eu-central-1', path_style: true },
      ...{ access_key_id: key, secret_access_key: key, ...more },
    }
  }

  /** Names of its objects, in order. */
  names(): string[] {
    const suffix = '._S3rver_object'
    return readdirSync(join(this.#folder, this.bucket), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith(suffix))
      .map((name) => name.slice(0, -suffix.length))
      .toSorted()
  }

  read(name: string): string {
    const bytes = readFileSync(join(this.#folder, this.bucket, `${name}._S3rver_object`))
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  }
}
