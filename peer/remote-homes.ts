/** Durable invocations of a peer that keeps none: at a home among its neighbours, which it lets run them in its name. */
import { type CID, ensureCid, isCidText } from '../protocol/cid.ts'
import { Delegation } from '../protocol/delegation.ts'
import { type Envelope, signBatch, verifyEnvelope } from '../protocol/envelope.ts'
import { MeshError } from '../protocol/errors.ts'
import {
  HOME_PROTOCOL,
  type HomeAnswer,
  HomeFrame,
  type HomeFrameOf,
  type HomeQuestion,
} from '../protocol/home-frames.ts'
import { DELEGATION_MS_MAX } from '../protocol/limits.ts'
import type { Channel, Ports } from '../protocol/ports.ts'
import type { Manifest } from '../protocol/records.ts'
import { encodeValue, type Value } from '../protocol/values.ts'
import type { CallWish } from './calls.ts'
import {
  delegationSummaryOf,
  type HeldDelegation,
  namespacesOf,
  type StandingDelegations,
} from './durable/delegation-rules.ts'
import type { DurableEnd } from './durable/durable.ts'
import { pause } from './pause.ts'
import type { Peer } from './peer.ts'

/** How often a home is asked how an invocation stands. */
const LOOK_MS = 500
/** Longer than any question takes a home whose state answers. */
const ANSWER_MS_MAX = 30_000
/** Who lists what all of them hold waits no longer for one that hangs: others have answered by then. */
const LIST_MS_MAX = 5000
/** A clock that is behind takes it for valid all the same. */
const SKEW_MS = 60_000

/** Peers that are no home of this one, or out of reach: they go on with nothing. */
const NO_HOME_OF_OURS = new Set(['E_NO_HOME', 'E_PROTOCOL_VERSION', 'E_UNREACHABLE'])

type Question<F = HomeQuestion> = F extends HomeQuestion ? Omit<F, 'id'> : never
type HomePorts = Pick<Ports, 'clock' | 'crypto' | 'random' | 'signer' | 'network'>

export interface RemoteHomesParts {
  mesh: CID
  /** Of the neighbours. */
  neighbours(): readonly string[]
  manifest(functionCid: CID): Promise<Manifest>
}

/** For `peer` on its ports. */
export const remoteHomesOf = (ports: HomePorts, peer: Pick<Peer, 'meshId' | 'status' | 'manifest'>): RemoteHomes =>
  new RemoteHomes(ports, {
    mesh: peer.meshId,
    neighbours: () => peer.status().neighbours.map((one) => one.peer),
    manifest: (functionCid) => peer.manifest(functionCid),
  })

type DelegatedWork = Pick<Delegation, 'function' | 'effects' | 'in' | 'fuel'> & { untilMs: number }

interface Line {
  channel: Channel
  waiting: Map<number, PromiseWithResolvers<HomeAnswer>>
}

const noHome = (reason: string): MeshError =>
  new MeshError('E_NO_HOME', `nothing durable is kept here; start an agent: wayside up${reason}`)

export class RemoteHomes {
  readonly #ports: HomePorts
  readonly #parts: RemoteHomesParts
  readonly #lines = new Map<string, Promise<Line>>()
  /** Homes of what was begun. */
  readonly #homes = new Map<string, string>()
  #nextId = 1

  constructor(ports: HomePorts, parts: RemoteHomesParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Resolves with its id once a home keeps it. Throws MeshError E_NO_HOME if no neighbour is one of this peer, or what the home says. */
  async start(wish: CallWish): Promise<string> {
    const manifest = await this.#parts.manifest(wish.function)
    const limits = wish.limits ?? manifest.limits
    const home = await this.#findHome()
    const { effects } = manifest
    const untilMs = this.#ports.clock.now() + wish.timeoutMs
    const work = { function: wish.function, effects, in: namespacesOf(wish.grants), fuel: limits.fuel, untilMs }
    const delegation = await this.delegate(home, work)
    const { level } = wish
    const { invocation } = await this.#ask(home, 'begun', {
      ...{ t: 'begin', delegation, function: wish.function, export: wish.export, input: wish.input, limits: [limits] },
      level: level === undefined ? '' : level.level === 'quorum' ? `quorum:${level.n}` : level.level,
      grants: encodeValue((wish.grants ?? {}) as Value),
      ...{ timeout_ms: wish.timeoutMs, remote: wish.remote },
    })
    this.#homes.set(invocation.toString(), home)
    return invocation.toString()
  }

  /** What `home` may do in this peer's name, until an instant of the wall clock; signed. */
  async delegate(home: string, { untilMs, ...work }: DelegatedWork): Promise<Envelope> {
    const { clock, crypto, random, signer, network } = this.#ports
    const payload = Delegation.encode({
      ...{ v: 1, mesh: this.#parts.mesh, home, ...work, nonce: random.bytes(16) },
      ...{ not_before_ms: clock.now() - SKEW_MS, expires_ms: untilMs },
    })
    const [signed] = await signBatch(crypto, signer, network.peerId, 'delegation', [payload])
    return signed as Envelope
  }

  /**
   * It may go on, as this peer has signed for it before, until its deadline or for seven days. Throws MeshError E_USAGE for one
   * that has ended, E_NO_HOME where what was signed is for another home.
   */
  async renew(id: string): Promise<void> {
    const home = await this.#homeOf(id)
    const [held] = await this.#heldBy(home, [ensureCid(id)])
    if (!held) throw new MeshError('E_USAGE', `invocation ${id} has ended; there is nothing to renew`)
    const { function: cid, effects, in: namespaces, fuel, home: before } = Delegation.decode(held.signed.payload)
    if (before !== home)
      throw new MeshError('E_NO_HOME', `what was signed is for the home ${before}, and not for ${home}`)
    const untilMs = Math.min(held.deadlineMs, this.#ports.clock.now() + DELEGATION_MS_MAX)
    const work = { effects, fuel, untilMs, ...(cid && { function: cid }), ...(namespaces && { in: namespaces }) }
    const delegation = await this.delegate(home, work)
    await this.#ask(home, 'done', { t: 'renew', invocation: ensureCid(held.id), delegation })
  }

  /** By which homes in reach go on with something, or may again; within five seconds, whoever hangs. */
  async delegations(): Promise<StandingDelegations> {
    const missing: StandingDelegations['missing'] = []
    const heldBy = (home: string) =>
      this.#heldBy(home, [], LIST_MS_MAX).catch((error) => {
        if (!NO_HOME_OF_OURS.has(error.code)) missing.push({ home, error })
        return []
      })
    const held = (await Promise.all(this.#parts.neighbours().map(heldBy))).flat()
    return { standing: held.map((one) => delegationSummaryOf(one, this.#ports.network.peerId)), missing }
  }

  /** What a home shows may be old, but is this peer's word. */
  async #heldBy(home: string, of: readonly CID[], withinMs = ANSWER_MS_MAX): Promise<HeldDelegation[]> {
    const { delegations } = await this.#ask(home, 'held', { t: 'standing', of: [...of] }, withinMs)
    return Promise.all(
      delegations.map(async ({ invocation, delegation: signed, revoked, deadline_ms, running }) => {
        if (signed.signer !== this.#ports.network.peerId)
          throw new MeshError('E_SIGNATURE', `the delegation is signed by ${signed.signer}`)
        await verifyEnvelope(this.#ports.crypto, 'delegation', signed)
        Delegation.decode(signed.payload)
        return { id: invocation.toString(), signed, isRevoked: revoked, deadlineMs: deadline_ms, running }
      }),
    )
  }

  /** It goes on no more, until it is renewed. */
  async revoke(id: string): Promise<void> {
    await this.#ask(await this.#homeOf(id), 'done', { t: 'revoke', invocation: ensureCid(id) })
  }

  /** Undefined: it runs. Throws MeshError E_NO_HOME, with the reason, where it may not go on. */
  async end(id: string): Promise<DurableEnd | undefined> {
    const stands = await this.#ask(await this.#homeOf(id), 'stands', { t: 'look', invocation: ensureCid(id) })
    const { state, outcome, failure } = stands
    const [why] = failure
    const error = why && new MeshError(why.code, why.message)
    if (state === 'running' && error) throw error
    return state === 'running' ? undefined : { state, outcome: outcome[0], error }
  }

  /** Throws as `end`, and MeshError E_CANCELLED when `signal` is aborted. */
  async wait(id: string, signal = new AbortController().signal): Promise<DurableEnd> {
    for (;;) {
      const end = await this.end(id)
      if (end) return end
      await pause(this.#ports.clock, LOOK_MS, signal)
      if (signal.aborted) throw new MeshError('E_CANCELLED', 'the caller waits no more')
    }
  }

  /** False: it had ended. */
  async cancel(id: string): Promise<boolean> {
    return (await this.#ask(await this.#homeOf(id), 'done', { t: 'cancel', invocation: ensureCid(id) })).is
  }

  /** Lets go of every channel. What was begun goes on. */
  close(): void {
    for (const opening of this.#lines.values()) opening.then(({ channel }) => channel.close()).catch(() => {})
    this.#lines.clear()
  }

  async #findHome(): Promise<string> {
    const reasons: string[] = []
    for (const peer of this.#parts.neighbours()) {
      try {
        await this.#ask(peer, 'done', { t: 'offer' })
        return peer
      } catch (cause) {
        reasons.push(`${peer}: ${(cause as Error).message}`)
      }
    }
    throw noHome(reasons.length > 0 ? ` (${reasons.join('; ').slice(0, 500)})` : '')
  }

  /** Of one that was begun by an earlier run of this peer, those in reach are asked. Throws MeshError E_USAGE if none knows it. */
  async #homeOf(id: string): Promise<string> {
    const known = this.#homes.get(id)
    if (known) return known
    for (const peer of isCidText(id) ? this.#parts.neighbours() : []) {
      const found = await this.#ask(peer, 'stands', { t: 'look', invocation: ensureCid(id) }).catch(() => undefined)
      if (!found) continue
      this.#homes.set(id, peer)
      return peer
    }
    const message = `no home in reach knows an invocation ${id.slice(0, 80)} of this peer`
    throw new MeshError('E_USAGE', { message, id: id.slice(0, 80) })
  }

  /** Throws MeshError with what the home says, E_UNREACHABLE, E_TIMEOUT or E_MESSAGE. */
  async #ask<T extends HomeAnswer['t']>(
    peer: string,
    wanted: T,
    question: Question,
    withinMs = ANSWER_MS_MAX,
  ): Promise<HomeFrameOf<T>> {
    const late = Promise.withResolvers<never>()
    const error = new MeshError('E_TIMEOUT', `${peer} has not answered within ${withinMs} ms`)
    const cancel = this.#ports.clock.after(withinMs, () => late.reject(error))
    try {
      const answer = await this.#answerOf(peer, question, late.promise)
      if (answer.t === wanted) return answer as HomeFrameOf<T>
      if (answer.t === 'no') throw new MeshError(answer.code, answer.message)
      throw new MeshError('E_MESSAGE', `${peer} answers a ${question.t} with ${answer.t}`)
    } finally {
      cancel()
    }
  }

  /** `late` rejects when it has taken too long. */
  async #answerOf(peer: string, question: Question, late: Promise<never>): Promise<HomeAnswer> {
    const opening = this.#lines.get(peer) ?? this.#open(peer)
    this.#lines.set(peer, opening)
    opening.catch(() => this.#lines.delete(peer))
    const { channel, waiting } = await Promise.race([opening, late])
    const id = this.#nextId++
    const answered = Promise.withResolvers<HomeAnswer>()
    waiting.set(id, answered)
    channel.send(HomeFrame.encode({ ...question, id } as HomeFrame))
    return Promise.race([answered.promise, late]).finally(() => waiting.delete(id))
  }

  async #open(peer: string): Promise<Line> {
    const { network } = this.#ports
    const channel = await network.open(peer, HOME_PROTOCOL, { frameBytesMax: HomeFrame.bytesMax })
    const waiting: Line['waiting'] = new Map()
    const end = (reason: MeshError) => {
      this.#lines.delete(peer)
      for (const one of waiting.values()) one.reject(reason)
    }
    channel.receive({
      frame: (bytes) => {
        try {
          const answer = HomeFrame.decode(bytes)
          waiting.get(answer.id)?.resolve(answer as HomeAnswer)
        } catch (cause) {
          end(cause as MeshError)
          channel.close({ abort: 'no frame of a home' })
        }
      },
      closed: (reason) => end(new MeshError('E_UNREACHABLE', `${peer} closed the channel: ${reason}`)),
    })
    return { channel, waiting }
  }
}
