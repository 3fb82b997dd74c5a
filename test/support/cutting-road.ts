import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { atEnd } from './store.ts'

/** When a connection is cut: before the server has what was sent, or when its answer is on the way back, and never arrives. */
export type Moment = 'before' | 'answer'

/** A TCP relay to a database that can be told to cut a connection in the middle of what goes on. */
export class CuttingRoad {
  // Owned by cutAt() and #passes(): how many messages are still let through, and what happens to the one after them.
  #left = Infinity
  #moment: Moment = 'before'
  #cuts = 0
  readonly url: string

  private constructor(url: string) {
    this.url = url
  }

  /** To the server of this URL. It ends with the file's tests. */
  static async to(url: string): Promise<CuttingRoad> {
    const target = new URL(url)
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    atEnd(async () => void server.close())
    const near = new URL(url)
    near.port = String((server.address() as AddressInfo).port)
    const road = new CuttingRoad(near.href)
    server.on('connection', (client) => {
      road.#join(client, connect(Number(target.port), target.hostname))
    })
    return road
  }

  /** Cuts the connection on which the message number `nth` comes from now on, whichever it is, and then no other. */
  cutAt(nth: number, moment: Moment): void {
    this.#left = nth - 1
    this.#moment = moment
  }

  /** How many it has cut. */
  get cuts(): number {
    return this.#cuts
  }

  #join(client: Socket, server: Socket): void {
    let doomed = false
    const cut = () => {
      client.destroy()
      server.destroy()
    }
    client.on('data', (bytes) => {
      if (!this.#passes()) {
        doomed = true
        if (this.#moment === 'before') return cut()
      }
      server.write(bytes)
    })
    server.on('data', (bytes) => (doomed ? cut() : client.write(bytes)))
    client.on('close', cut).on('error', cut)
    server.on('close', cut).on('error', cut)
  }

  #passes(): boolean {
    if (this.#left-- > 0) return true
    this.#left = Infinity
    this.#cuts++
    return false
  }
}
