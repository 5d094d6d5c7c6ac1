/** The outbox: what functions sent is kept by the commit of their step, and delivered after it, also by a home that starts again. */
import { MeshError } from '../../protocol/errors.ts'
import { LIST_ENTRIES_MAX } from '../../protocol/limits.ts'
import type { Ports } from '../../protocol/ports.ts'
import { SendRecord } from '../../protocol/sends.ts'
import { decodeValue } from '../../protocol/values.ts'
import { type Item, idOf } from '../calls.ts'
import { type FetchAuthority, Fetching, type PreparedFetch, secretGrantsOf } from '../effects/fetch.ts'
import type { Deferred, Granted } from '../grants.ts'
import { pause } from '../pause.ts'
import { commitKnown } from '../state/commit.ts'
import type { StateEngine, Write } from '../state/engine.ts'
import type { Homes } from '../state/homes.ts'
import { afterAnswer, afterFailure, type Next } from './delivery.ts'

/** No grant reaches it. */
const OUTBOX = '.outbox'
/** Delivered at a time: what others wait for is not held up by a server that is slow. */
const AT_ONCE_MAX = 16
const AGAIN_MS = { least: 1000, most: 5 * 60_000 }
/** Of the name of a home in an id: enough to tell homes apart. */
const NAME_CHARS = 16
/** Of one delivery, in which a request may be sent several times. */
const DELIVERY_MS_MAX = 60_000

interface Letter {
  key: string
  record: SendRecord
}

export class Sends {
  readonly #ports: Pick<Ports, 'clock' | 'log'>
  readonly #self: string
  readonly #engine: StateEngine
  readonly #homes: Homes | undefined
  readonly #fetching: Fetching
  readonly #waiting: Letter[] = []
  #isOpen = false
  readonly #stopped = new AbortController()
  readonly #delivering = new Set<Promise<void>>()

  constructor(ports: Pick<Ports, 'clock' | 'log' | 'web' | 'secrets' | 'network'>, engine: StateEngine, homes?: Homes) {
    this.#homes = homes
    this.#ports = ports
    this.#self = ports.network.peerId
    this.#engine = engine
    this.#fetching = new Fetching(ports)
  }

  /** What the commit of a step has to keep. Throws MeshError E_GRANT or E_FETCH for what may not be sent, E_MESSAGE_LIMIT for more than 1 MiB. */
  writesOf(item: Item, deferred: readonly Deferred[]): Write[] {
    return deferred.flatMap((one) => (one.kind === 'send' ? [this.#writeOf(item, one)] : []))
  }

  /** These were committed, and are delivered from now on. */
  committed(writes: readonly Write[]): void {
    for (const { key, ...write } of writes)
      if ('put' in write) this.#waiting.push({ key, record: SendRecord.decode(write.put) })
    this.#serve()
  }

  /** Delivers what was left when this home ended, and, also when it is called again, what others left that are gone. */
  async open(): Promise<void> {
    const revision = await this.#engine.revision()
    let after: string | undefined
    for (;;) {
      const range = { namespace: OUTBOX, prefix: '', after, limit: Math.min(100, LIST_ENTRIES_MAX) }
      const page = await this.#engine.list(range, revision)
      for (const { key, value } of page.entries) await this.#found(key, value as Uint8Array, revision)
      after = page.entries.at(-1)?.key
      if (!page.more) break
    }
    this.#isOpen = true
  }

  async #found(key: string, put: Uint8Array, revision: number): Promise<void> {
    const home = key.slice(0, key.indexOf('/'))
    if (!this.#isLetter(key, put)) return
    if (home === this.#self) {
      if (!this.#isOpen) this.committed([{ namespace: OUTBOX, key, put }])
      return
    }
    if (this.#homes?.isThere(home)) return
    const name = key.slice(home.length + 1)
    const mine = { namespace: OUTBOX, key: `${this.#self}/${name}`, put }
    const theirs = { namespace: OUTBOX, key }
    // Which of several homes takes it, and whether one that was only cut off still sends it, is for this commit to say.
    const id = `${name}/taken/${this.#self.slice(-NAME_CHARS)}/${revision}`
    const transaction = {
      id,
      revision,
      reads: [theirs],
      ranges: [],
      writes: [{ ...theirs, delete: true as const }, mine],
    }
    const committed = await commitKnown(this.#ports.clock, this.#engine, transaction)
    if (committed.kind === 'committed') this.committed([mine])
  }

  /** One that is damaged holds up nothing else: nobody can send it, and it stays where it is. */
  #isLetter(key: string, put: Uint8Array): boolean {
    try {
      SendRecord.decode(put)
      return true
    } catch (cause) {
      const reason = `what is kept under ${key} to be sent is damaged, and is not sent: ${(cause as Error).message}`
      this.#ports.log.event('storage.failed', { code: 'E_STORAGE', reason })
      return false
    }
  }

  /** What is not delivered by then is, at the next start. */
  async stop(): Promise<void> {
    this.#stopped.abort()
    await Promise.all(this.#delivering)
  }

  #writeOf(item: Item, { args, n }: Granted<'send'>): Write {
    const { grants = {} } = item.request
    const { env = [] } = item.manifest
    const secrets = env.flatMap(({ name, kind }) => (kind === 'secret' ? [name] : []))
    const named = [args.binding, ...secrets].flatMap((name) => (grants[name] ? [[name, grants[name]] as const] : []))
    const id = idOf(item)
    const record: SendRecord = {
      ...{ v: 1, asked: args, grants: Object.fromEntries(named), invocation: id, n },
      ...{ created_ms: this.#ports.clock.now(), begun: false },
    }
    this.#fetching.prepare(args, this.#authority(record))
    const key = `${this.#self}/${id}/${`${n}`.padStart(5, '0')}`
    return { namespace: OUTBOX, key, put: SendRecord.encode(record) }
  }

  #serve(): void {
    while (this.#delivering.size < AT_ONCE_MAX && !this.#stopped.signal.aborted) {
      const letter = this.#waiting.shift()
      if (!letter) return
      const delivering: Promise<void> = this.#deliver(letter)
        .catch((cause: Error) => {
          if (!isTaken(cause)) this.#tell(letter, cause.message)
        })
        .finally(() => {
          this.#delivering.delete(delivering)
          this.#serve()
        })
      this.#delivering.add(delivering)
    }
  }

  async #deliver(letter: Letter): Promise<void> {
    const { clock } = this.#ports
    const { signal } = this.#stopped
    const { record } = letter
    // It was begun before this home started, and nobody knows how far it came.
    if (record.begun) return this.#end(letter, 'its home ended while it was being sent; it may have been performed')
    for (let ms = AGAIN_MS.least; ; ms = Math.min(2 * ms, AGAIN_MS.most)) {
      const next = await this.#attempt(letter)
      if (signal.aborted && next.kind === 'again') return
      if (next.kind !== 'again') return this.#end(letter, next.kind === 'failed' ? next.reason : undefined)
      await pause(clock, ms, signal)
      if (signal.aborted) return
    }
  }

  async #attempt(letter: Letter): Promise<Next> {
    const { record } = letter
    const { clock } = this.#ports
    const triedMs = clock.now() - record.created_ms
    try {
      const authority = this.#authority(record)
      const prepared = this.#fetching.prepare(record.asked, authority)
      const { onUnknown } = prepared.intent
      if (onUnknown === 'fail') await this.#mark(letter, true)
      const next = await this.#sent(prepared, triedMs)
      // Nothing of it was sent.
      if (onUnknown === 'fail' && next.kind === 'again') await this.#mark(letter, false)
      return next
    } catch (cause) {
      if (!(cause instanceof MeshError) || isTaken(cause)) throw cause
      return afterFailure({ code: cause.code, message: cause.message }, 'fail', triedMs)
    }
  }

  async #sent({ intent: { onUnknown }, send }: PreparedFetch, triedMs: number): Promise<Next> {
    const answer = await send(this.#stopped.signal)
    if (!answer.ok) return afterFailure(answer, onUnknown, triedMs)
    const { status } = decodeValue(answer.value) as { status: number }
    return afterAnswer(status, onUnknown, triedMs)
  }

  /** Whether it may have been sent, and is not to be sent twice. */
  async #mark(letter: Letter, begun: boolean): Promise<void> {
    letter.record = { ...letter.record, begun }
    await this.#write({ namespace: OUTBOX, key: letter.key, put: SendRecord.encode(letter.record) })
  }

  async #end(letter: Letter, failure: string | undefined): Promise<void> {
    if (failure !== undefined) this.#tell(letter, failure)
    await this.#write({ namespace: OUTBOX, key: letter.key, delete: true })
  }

  #tell({ record: { invocation, n } }: Letter, reason: string): void {
    this.#ports.log.event('send.failed', { invocation, count: n, reason })
  }

  /** Throws MeshError E_CANCELLED if another home has taken it. */
  async #write(write: Write): Promise<void> {
    const { namespace, key } = write
    for (;;) {
      const revision = await this.#engine.revision()
      const [found] = await this.#engine.read(namespace, [key], revision)
      if (!found?.value) throw new MeshError('E_CANCELLED', 'another home has taken it, and sends it')
      const id = `${key.slice(this.#self.length + 1)}/sending/${revision}`
      const transaction = { id, revision, reads: [{ namespace, key }], ranges: [], writes: [write] }
      const committed = await commitKnown(this.#ports.clock, this.#engine, transaction)
      if (committed.kind === 'committed') return
    }
  }

  #authority({ asked, grants, invocation, n }: SendRecord): FetchAuthority {
    const grant = grants[asked.binding]
    if (!grant || !('fetch' in grant)) throw new MeshError('E_GRANT', `env.${asked.binding}: nothing is granted`)
    const secrets = secretGrantsOf(grants, Object.keys(grants))
    const deadlineMs = this.#ports.clock.monotonic() + DELIVERY_MS_MAX
    return { grant, secrets, invocation, n, bytesMax: Number.POSITIVE_INFINITY, deadlineMs }
  }
}

/** By another home, which delivers it. */
const isTaken = (cause: Error): boolean => cause instanceof MeshError && cause.code === 'E_CANCELLED'
