/**
 * etcd's own JSON gateway over HTTP (its v3 API, docs: etcd.io/docs/v3.4/dev-guide/api_grpc_gateway). A request goes to one
 * node, and when that does not answer to the next, until the deadline. So it may be performed more than once: callers hand
 * over only what bears that, reads and writes under a condition that the first of two makes false.
 */
import type { ClientRequest, IncomingMessage } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { MeshError } from '../../protocol/errors.ts'
import { Access, type EtcdCredentials } from './access.ts'
import type { CompareJson, KeyRange, OpJson, RangeReply, TxnReply, WatchEvent } from './messages.ts'
import { eventsOf, rangeReplyOf, txnReplyOf } from './messages.ts'

/** A node that is paused takes requests and answers none; one that lost its leader may answer after an election. */
const ATTEMPT_MS = 1500
const NO_TIME = 'no time was left'
/** Between two attempts. */
const PAUSE_MS = 50

/** gRPC's codes, as the gateway passes them on. */
const NOT_FOUND = 5
const OUT_OF_RANGE = 11
const UNAUTHENTICATED = 16
/** Cancelled, deadline exceeded, unavailable: another node, or this one later, may do it. */
const TRANSIENT = new Set([1, 4, 14])

/** What etcd answered instead of doing it. */
export class EtcdError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.name = 'EtcdError'
    this.code = code
  }

  get isCompacted(): boolean {
    return this.code === OUT_OF_RANGE && this.message.includes('compacted')
  }

  /** Of a node that is behind: it has not heard of the revision yet. */
  get isFuture(): boolean {
    return this.code === OUT_OF_RANGE && this.message.includes('future')
  }

  get isNotFound(): boolean {
    return this.code === NOT_FOUND
  }
}

export interface WatchHandlers {
  /** At least one, all of each revision that is among them. */
  events(events: readonly WatchEvent[]): void
  /** No more will come. `compactedTo`: what was asked for is gone up to that revision. */
  ended(compactedTo: number | undefined): void
}

const wholeOf = async (reply: IncomingMessage): Promise<string> => {
  const pieces: Buffer[] = []
  for await (const piece of reply) pieces.push(piece as Buffer)
  return Buffer.concat(pieces).toString()
}

export class Etcd {
  readonly #endpoints: readonly URL[]
  readonly #access: Access
  readonly #closing = new AbortController()
  #current: number

  /** `endpoints`: `http://HOST:PORT` or `https://HOST:PORT` of each node; the one at `first` is asked first. */
  constructor(endpoints: readonly string[], first = 0, credentials: EtcdCredentials = {}) {
    this.#access = new Access(credentials)
    this.#endpoints = endpoints.map((endpoint) => new URL(endpoint))
    this.#current = first % endpoints.length
  }

  /** Throws MeshError E_STATE_UNAVAILABLE, saying why, if nobody answers before `until` (monotonic, ms), and EtcdError. */
  async call(path: string, body: object, until: number): Promise<Record<string, unknown>> {
    const text = JSON.stringify(body)
    for (let reason = NO_TIME; ; ) {
      const left = until - performance.now()
      if (this.#closing.signal.aborted) throw new MeshError('E_STATE_UNAVAILABLE', 'the state engine is closed')
      if (left <= 0) throw new MeshError('E_STATE_UNAVAILABLE', `etcd does not answer: ${reason}`)
      const asked = this.#current
      try {
        return await this.#attempt(asked, path, text, Math.min(left, ATTEMPT_MS))
      } catch (error) {
        const isExpired = error instanceof EtcdError && error.code === UNAUTHENTICATED
        if (isExpired) this.#access.expired()
        else if (error instanceof EtcdError && !TRANSIENT.has(error.code)) throw error
        // An attempt for which too little time was left says less than the one before it.
        if (left >= ATTEMPT_MS || reason === NO_TIME)
          reason = `${this.#endpoints[asked]?.host}: ${(error as Error).message}`
        if (!isExpired) this.#avoid(asked)
        await delay(Math.min(PAUSE_MS, left))
      }
    }
  }

  async range(range: KeyRange, options: object, until: number): Promise<RangeReply> {
    return rangeReplyOf(await this.call('/v3/kv/range', { ...range, ...options }, until))
  }

  async txn(compare: readonly CompareJson[], success: readonly OpJson[], failure: readonly OpJson[], until: number) {
    return txnReplyOf(await this.call('/v3/kv/txn', { compare, success, failure }, until)) as TxnReply
  }

  /** Changes in `range` from revision `from` on. Returns what ends it, without a word; `isSilent`: as its node seems dead. */
  watch(range: KeyRange, from: number, handlers: WatchHandlers): (isSilent?: boolean) => void {
    const signal = this.#closing.signal
    const asked = this.#current
    let open: ClientRequest | undefined
    let isOver = false
    const stop = (isSilent = false) => {
      isOver = true
      open?.destroy()
      if (isSilent) this.#avoid(asked)
    }
    const end = (compactedTo?: number) => {
      if (isOver) return
      stop(compactedTo === undefined)
      handlers.ended(compactedTo)
    }
    const line = (text: string) => {
      const { result } = JSON.parse(text) as { result?: Record<string, unknown> }
      if (result === undefined || result.canceled) return end(Number(result?.compact_revision ?? 0) || undefined)
      const events = eventsOf(result)
      if (events.length > 0 && !isOver) handlers.events(events)
    }
    open = this.#access.post(new URL('/v3/watch', this.#endpoints[asked]), { alone: true, signal })
    open.on('error', () => end())
    open.on('response', (reply: IncomingMessage) => {
      reply.on('close', () => end())
      linesOf(reply, line)
    })
    open.end(JSON.stringify({ create_request: { ...range, start_revision: String(from) } }))
    return stop
  }

  close(): void {
    this.#closing.abort()
    this.#access.close()
  }

  #avoid(node: number): void {
    if (node === this.#current) this.#current = (node + 1) % this.#endpoints.length
  }

  async #attempt(node: number, path: string, text: string, limitMs: number): Promise<Record<string, unknown>> {
    const { owed } = this.#access
    if (owed) {
      const { token } = await this.#exchange(node, '/v3/auth/authenticate', JSON.stringify(owed), limitMs)
      this.#access.admitted(String(token))
    }
    return this.#exchange(node, path, text, limitMs)
  }

  async #exchange(node: number, path: string, text: string, limitMs: number): Promise<Record<string, unknown>> {
    const url = new URL(path, this.#endpoints[node])
    const sent = this.#access.post(url, { alone: false, signal: this.#closing.signal })
    const timer = setTimeout(() => sent.destroy(new Error(`no answer within ${Math.round(limitMs)} ms`)), limitMs)
    try {
      const reply = await new Promise<IncomingMessage>((resolve, reject) => {
        sent.on('response', resolve).on('error', reject)
        sent.end(text)
      })
      const answer = JSON.parse(await wholeOf(reply)) as Record<string, unknown>
      if (reply.statusCode === 200) return answer
      throw new EtcdError(Number(answer.code), String(answer.message))
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The gateway ends each message of a stream with a line feed. */
const linesOf = (reply: IncomingMessage, line: (text: string) => void): void => {
  let pieces: Buffer[] = []
  reply.on('data', (piece: Buffer) => {
    let rest = piece
    for (let at = rest.indexOf(10); at >= 0; at = rest.indexOf(10)) {
      const text = Buffer.concat([...pieces, rest.subarray(0, at)]).toString()
      pieces = []
      rest = rest.subarray(at + 1)
      if (text !== '') line(text)
    }
    if (rest.length > 0) pieces.push(rest)
  })
}
