/** A keep-alive HTTP client for the rival: `http.request`, one socket for each call under way. */
import { Agent, request } from 'node:http'

export const httpCaller = (port: number, inFlightMax: number): ((input: unknown) => Promise<unknown>) => {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlightMax })
  return (input) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(input)
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const call = request({ agent, host: '127.0.0.1', port, method: 'POST', headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(JSON.parse(Buffer.concat(chunks).toString())))
      })
      call.on('error', reject)
      call.end(body)
    })
}
