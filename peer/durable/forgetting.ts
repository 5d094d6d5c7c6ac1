/** What ended invocations keep goes after a week, where they are many, and, the oldest first, where there is no room. */
import { MeshError } from '../../protocol/errors.ts'
import type { Ports } from '../../protocol/ports.ts'
import { callerPrefixIn } from '../state/caller-namespaces.ts'
import { commitKnown } from '../state/commit.ts'
import type { Read, StateEngine, Write } from '../state/engine.ts'
import { isOfCallers } from '../state/totals.ts'
import { forgetDelegation } from './delegations.ts'
import { INVOCATIONS, PIECES, placeOfCaller } from './names.ts'
import { scanPieces } from './pieces.ts'
import { endedIn } from './records.ts'

const KEPT_MS = 7 * 24 * 60 * 60 * 1000
/** Of the home's own; of one caller; of all callers. With those that run no more than a list of them has room for. */
const OWN_KEPT_MAX = 10_000
const CALLER_KEPT_MAX = 1000
const CALLERS_KEPT_MAX = 8000
/** When it is looked what is too old or too many: so often, and after so many have ended here. */
const LOOK_MS = 60 * 60 * 1000
const LOOK_ENDED = 500
/** Keys that one commit deletes: etcd takes a few thousand. An outcome has fewer, and goes with the record. */
const DELETED_MAX = 1000
/** Of what could be forgotten so much is at a time: whoever needs room needs it again. */
const SHARE = 16
/** Where nothing was left to forget it is not looked again for so long, however many ask for room. */
const IN_VAIN_MS = 1000

type ForgettingPorts = Pick<Ports, 'clock' | 'crypto' | 'log'>

/** What is kept of `id` in those places. Its record goes last, with its outcome: until then it is there, and forgotten again. */
export const forget = async (
  { clock }: Pick<ForgettingPorts, 'clock'>,
  engine: StateEngine,
  id: string,
  places: readonly string[],
): Promise<void> => {
  const writes: Write[] = []
  for (const place of places)
    for await (const { key } of scanPieces(engine, place, `${id}/`, await engine.revision()))
      writes.push({ namespace: place, key, delete: true })
  writes.push({ namespace: INVOCATIONS, key: id, delete: true }, forgetDelegation(id))
  for (let end = writes.length % DELETED_MAX || DELETED_MAX, from = 0; from < writes.length; end += DELETED_MAX) {
    const revision = await engine.revision()
    const transaction = { revision, reads: [], ranges: [], writes: writes.slice(from, end) }
    await commitKnown(clock, engine, { ...transaction, id: `${id}/forget/${revision}` })
    from = end
  }
}

/** Looks now and then for those that are too old or too many. */
export class Forgetting {
  readonly #ports: ForgettingPorts
  readonly #engine: StateEngine
  #looking: Promise<void> = Promise.resolve()
  #ended = 0
  #cancel = () => {}
  #isStopped = false

  constructor(ports: ForgettingPorts, engine: StateEngine) {
    this.#ports = ports
    this.#engine = engine
  }

  /** Throws what the state throws. */
  async open(): Promise<void> {
    await this.#look()
    this.#later()
  }

  /** One has ended here. */
  ended(): void {
    this.#ended += 1
    if (this.#ended >= LOOK_ENDED) this.#soon()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#cancel()
    await this.#looking
  }

  #later(): void {
    if (!this.#isStopped) this.#cancel = this.#ports.clock.after(LOOK_MS, () => this.#soon())
  }

  #soon(): void {
    this.#ended = 0
    this.#cancel()
    this.#looking = this.#looking
      .then(() => this.#look())
      .catch((cause: Error) => this.#ports.log.event('storage.failed', { reason: cause.message }))
      .then(() => this.#later())
  }

  async #look(): Promise<void> {
    const ended = await endedIn(this.#ports.crypto, this.#engine)
    const oldestMs = this.#ports.clock.now() - KEPT_MS
    const counts = new Map<string, number>()
    let callers = 0
    for (const one of ended.reverse()) {
      if (this.#isStopped) return
      const isOwn = one.place === PIECES
      const count = (counts.get(one.place) ?? 0) + 1
      const isMany = isOwn ? count > OWN_KEPT_MAX : count > CALLER_KEPT_MAX || callers >= CALLERS_KEPT_MAX
      if (isMany || one.endedMs < oldestMs) await forget(this.#ports, this.#engine, one.id, [one.place])
      else {
        counts.set(one.place, count)
        if (!isOwn) callers += 1
      }
    }
  }
}

/** Whose ended invocations could make room for what a quota refused; undefined: none could. */
const placeIn = (writes: readonly Pick<Read, 'namespace'>[], { fields }: MeshError): string | undefined => {
  const holder = `${fields.namespace}`
  if (holder === PIECES || holder === INVOCATIONS) return PIECES
  if (!isOfCallers(holder)) return undefined
  const [prefix] = writes.flatMap(({ namespace }) => callerPrefixIn(namespace) ?? [])
  return prefix && placeOfCaller(prefix)
}

class Room {
  readonly #ports: ForgettingPorts
  readonly #engine: StateEngine
  #turn: Promise<unknown> = Promise.resolve()
  /** By place, in ms of the monotonic clock. */
  readonly #inVainMs = new Map<string, number>()

  constructor(ports: ForgettingPorts, engine: StateEngine) {
    this.#ports = ports
    this.#engine = engine
  }

  /** One after another. False: nothing that has ended is left there. */
  make(place: string): Promise<boolean> {
    const made = this.#turn.then(() => this.#make(place))
    this.#turn = made.catch(() => {})
    return made
  }

  async #make(place: string): Promise<boolean> {
    const { clock, crypto } = this.#ports
    const inVainMs = this.#inVainMs.get(place)
    if (inVainMs !== undefined && clock.monotonic() < inVainMs + IN_VAIN_MS) return false
    this.#inVainMs.delete(place)
    const ended = (await endedIn(crypto, this.#engine)).filter((one) => one.place === place)
    const oldest = ended.slice(0, Math.ceil(ended.length / SHARE))
    for (const { id } of oldest) await forget(this.#ports, this.#engine, id, [place])
    if (oldest.length === 0) this.#inVainMs.set(place, clock.monotonic())
    return oldest.length > 0
  }
}

/** A state engine where what somebody's ended invocations keep makes room for what that one writes. */
export const withRoom = (ports: ForgettingPorts, engine: StateEngine): StateEngine => {
  const room = new Room(ports, engine)
  const withRoomFor = async <T>(writes: readonly Read[], attempt: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await attempt()
      } catch (cause) {
        if (!(cause instanceof MeshError) || cause.code !== 'E_STATE_QUOTA') throw cause
        const place = placeIn(writes, cause)
        if (place === undefined) throw cause
        if (!(await room.make(place))) throw full(cause)
      }
    }
  }
  return {
    revision: () => engine.revision(),
    read: (...asked) => engine.read(...asked),
    list: (...asked) => engine.list(...asked),
    watch: (...asked) => engine.watch(...asked),
    close: () => engine.close(),
    commit: (transaction) => withRoomFor(transaction.writes, () => engine.commit(transaction)),
    ensureRoom: (writes) => withRoomFor(writes, () => engine.ensureRoom(writes)),
  }
}

const full = ({ fields, message }: MeshError): MeshError => {
  const words = `${message}; of durable invocations that have ended none is left to be forgotten for it: wait for some to end, or cancel some`
  return new MeshError('E_STATE_QUOTA', { ...fields, message: words })
}
