/** The rival over HTTP: one process with a keep-alive server that parses JSON, calls the function, answers JSON. */
import { createServer } from 'node:http'

const trivial = (input: { n: number }) => ({ n: input.n + 1 })

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString())
    const result = Array.isArray(body) ? body.map(trivial) : trivial(body as { n: number })
    const text = JSON.stringify(result)
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  })
})
server.keepAliveTimeout = 60_000
server.listen(0, '127.0.0.1', () => {
  const address = server.address()
  process.send?.(typeof address === 'object' && address ? address.port : 0)
})
process.on('disconnect', () => process.exit())
