import { get } from 'node:http'

/** The status of alice's request from another address of this machine. */
export function statusAt(localAddress: string, port: number): Promise<number> {
  const headers = { authorization: 'Bearer alice' }
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/crm/v1', localAddress, headers, agent: false })
      .on('response', (response) => {
        response.resume()
        resolve(response.statusCode!)
      })
      .on('error', reject)
  })
}
