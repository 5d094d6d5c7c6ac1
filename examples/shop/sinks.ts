/**
 * A bank and a post office, as the shop needs them: `node examples/shop/sinks.ts [port]`. They do what was asked for under one
 * Idempotency-Key once, however often it comes. GET / tells what they did.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'

export interface Payment {
  payment: string
  order: string
  customer: string
  amount: number
}

export interface Letter {
  order: string
  to: string
  text: string
}

/** Whoever is called so has no money. */
const isPoor = (customer: string): boolean => customer.startsWith('poor ')

export class Sinks {
  /** Those that were made. */
  readonly payments: Payment[] = []
  readonly declined: Omit<Payment, 'payment'>[] = []
  readonly letters: Letter[] = []
  /** What was asked for under a key before, asked for again. */
  again = 0
  /** Asked for under a key that had stood for something else. */
  contradicted = 0
  readonly #answered = new Map<string, { asked: string; status: number; body: object }>()
  readonly #breaks: () => boolean
  readonly #server: Server

  /** `breaks`: is the connection to be cut after what was asked has been done, and before the answer? */
  constructor(breaks: () => boolean = () => false) {
    this.#breaks = breaks
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error) => response.destroy(error))
    })
  }

  /** Resolves with its origin. 0: a free port. */
  async listen(port: number): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    if (request.method === 'GET') {
      const { payments, declined, letters, again } = this
      return end(response, 200, { payments, declined, letters, again })
    }
    const asked = `${request.url} ${Buffer.concat(parts)}`
    const key = request.headers['idempotency-key'] as string
    const before = this.#answered.get(key)
    if (before) this.again++
    if (before && before.asked !== asked) this.contradicted++
    const answer = before ?? { asked, ...this.#perform(request.url ?? '', JSON.parse(Buffer.concat(parts).toString())) }
    this.#answered.set(key, answer)
    if (this.#breaks()) return void response.destroy()
    end(response, answer.status, answer.body)
  }

  #perform(path: string, asked: Omit<Payment, 'payment'> & Letter): { status: number; body: object } {
    if (path === '/mail') {
      this.letters.push(asked)
      return { status: 202, body: {} }
    }
    if (isPoor(asked.customer)) {
      this.declined.push(asked)
      return { status: 402, body: { reason: 'no money' } }
    }
    const payment = `P${this.payments.length + 1}`
    this.payments.push({ ...asked, payment })
    return { status: 201, body: { payment } }
  }
}

const end = (response: ServerResponse, status: number, body: object): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const origin = await new Sinks().listen(Number(process.argv[2] ?? 4801))
  console.log(`payments: POST ${origin}/pay, letters: POST ${origin}/mail, what came: GET ${origin}/`)
}
