/** This home, as callers see it that keep nothing durable themselves: what they begin runs by their delegation, and is told to nobody else. */
import { type CID, ensureCid } from '../../protocol/cid.ts'
import { MeshError } from '../../protocol/errors.ts'
import { ensureGrants } from '../../protocol/grants.ts'
import { HOME_PROTOCOL, HomeFrame, type HomeFrameOf, type HomeQuestion } from '../../protocol/home-frames.ts'
import { DELEGATED_RUNNING_MAX, DELEGATIONS_TOLD_MAX, MESSAGE_CHARS_MAX } from '../../protocol/limits.ts'
import type { Channel, Ports } from '../../protocol/ports.ts'
import { decodeValue } from '../../protocol/values.ts'
import { type CallWish, ensureLevel } from '../calls.ts'
import type { MembershipOffice } from '../membership.ts'
import type { Neighbour, NeighbourTable } from '../neighbours.ts'
import { tagOf } from '../state/caller-namespaces.ts'
import { ensureCovers, grantsFor, namespacesOf, ownNames } from './delegation-rules.ts'
import type { Durable } from './durable.ts'

interface CallersParts {
  durable: Durable
  neighbour(peer: string): Neighbour | undefined
  /** By the first of its machines. */
  owner(): string
}

type Answer<F = HomeFrame> = F extends { t: 'done' | 'begun' | 'stands' | 'held' | 'no' } ? Omit<F, 'id'> : never

class Callers {
  readonly #ports: Pick<Ports, 'crypto' | 'log'>
  readonly #parts: CallersParts

  constructor(ports: Pick<Ports, 'crypto' | 'log'>, parts: CallersParts) {
    this.#ports = ports
    this.#parts = parts
  }

  /** Before the network starts. */
  serve(network: Ports['network']): void {
    network.handle(HOME_PROTOCOL, (channel) => this.#accept(channel), { frameBytesMax: HomeFrame.bytesMax })
  }

  /** One question at a time: whoever asks more waits. */
  #accept(channel: Channel): void {
    if (!this.#parts.neighbour(channel.peer)) {
      channel.receive({ frame: () => {}, closed: () => {} })
      return channel.close({ abort: 'shake hands first' })
    }
    const frame = async (bytes: Uint8Array): Promise<void> => {
      try {
        const asked = HomeFrame.decode(bytes)
        const answer = await this.#answer(channel.peer, asked as HomeQuestion).catch(refusal)
        channel.send(HomeFrame.encode({ ...answer, id: asked.id } as HomeFrame))
        await channel.drained()
      } catch (cause) {
        const reason = (cause as Error).message
        this.#ports.log.event('peer.misbehaved', { peer: channel.peer, code: 'E_MESSAGE', reason })
        channel.close({ abort: reason })
      }
    }
    channel.receive({ frame, closed: () => {} })
  }

  async #answer(caller: string, asked: HomeQuestion): Promise<Answer> {
    const { durable } = this.#parts
    const neighbour = this.#ensureMay(caller)
    switch (asked.t) {
      case 'offer':
        return { t: 'done', is: true }
      case 'begin':
        return { t: 'begun', invocation: await this.#begin(neighbour, asked) }
      case 'renew': {
        const id = await this.#wordOf(caller, asked.invocation)
        const delegation = await durable.delegations.open(caller, asked.delegation)
        const { function: cid, limits, grants } = await durable.record(id)
        const namespaces = ownNames(namespacesOf(grants), this.#tagOf(caller))
        ensureCovers(delegation, { function: cid, fuel: limits.fuel, namespaces }, await durable.manifest(cid))
        await durable.delegations.renew(id, asked.delegation)
        return { t: 'done', is: true }
      }
      case 'revoke':
        await durable.delegations.revoke(await this.#wordOf(caller, asked.invocation))
        return { t: 'done', is: true }
      case 'look':
        return this.#stands(await this.#ensureOf(caller, asked.invocation))
      case 'cancel':
        return { t: 'done', is: await durable.cancel(await this.#ensureOf(caller, asked.invocation)) }
      case 'standing':
        return this.#standing(caller, asked.of)
      default:
        throw new MeshError('E_MESSAGE', `a home is not asked for ${(asked as HomeFrame).t}`)
    }
  }

  /** Machines of this one's owner, and those whom that has let in. */
  #ensureMay(caller: string): Neighbour {
    const neighbour = this.#parts.neighbour(caller)
    if (neighbour?.own || (neighbour?.member && neighbour.inviter === this.#parts.owner())) return neighbour
    const message = 'this agent is a home for machines of its owner, and for those whom the owner has invited'
    throw new MeshError('E_NO_HOME', message)
  }

  async #begin(neighbour: Neighbour, asked: HomeFrameOf<'begin'>): Promise<CID> {
    const { durable } = this.#parts
    const caller = neighbour.peer
    const delegation = await durable.delegations.open(caller, asked.delegation)
    const manifest = await durable.manifest(asked.function)
    const [limits = manifest.limits] = asked.limits
    const grants = ensureGrants(decodeValue(asked.grants))
    const work = { function: asked.function, fuel: limits.fuel, namespaces: namespacesOf(grants) }
    ensureCovers(delegation, work, manifest)
    if (durable.delegated(caller).length >= DELEGATED_RUNNING_MAX)
      throw new MeshError(
        'E_BUSY',
        `${DELEGATED_RUNNING_MAX} invocations of yours run here already; wait for some to end`,
      )
    const wish: CallWish = {
      ...{ function: asked.function, export: asked.export, input: asked.input, limits },
      level: asked.level === '' ? undefined : ensureLevel(asked.level),
      grants: neighbour.own ? grants : grantsFor(grants, this.#tagOf(caller)),
      ...{ timeoutMs: asked.timeout_ms, remote: asked.remote, depth: 0 },
    }
    return durable.startFor(caller, asked.delegation, wish)
  }

  #tagOf(caller: string): string {
    return tagOf(this.#ports.crypto, caller)
  }

  async #ensureOf(caller: string, invocation: CID): Promise<string> {
    const id = invocation.toString()
    await this.#wordOf(caller, invocation)
    return id
  }

  /** The invocation whose delegation it runs by: itself, or the one that has called it. */
  async #wordOf(caller: string, invocation: CID): Promise<string> {
    const { delegated } = await this.#parts.durable.record(invocation.toString())
    if (delegated?.caller === caller) return delegated.under.toString()
    throw new MeshError('E_USAGE', `this home knows no invocation ${invocation} of yours`)
  }

  async #standing(caller: string, of: readonly CID[]): Promise<Answer> {
    const { durable } = this.#parts
    const words = await Promise.all(of.map((one) => this.#wordOf(caller, one)))
    const all = await durable.delegations.standing(durable.delegated(caller))
    const wanted = all.filter(({ id }) => of.length === 0 || words.includes(id))
    const delegations = wanted.slice(0, DELEGATIONS_TOLD_MAX).map(({ id, signed, isRevoked, deadlineMs, running }) => ({
      ...{ invocation: ensureCid(id), delegation: signed, revoked: isRevoked, deadline_ms: deadlineMs, running },
    }))
    return { t: 'held', delegations }
  }

  async #stands(id: string): Promise<Answer> {
    const { durable } = this.#parts
    const end = await durable.end(id)
    const why = end ? end.error : await durable.delegations.held(id).then(() => undefined, refusalOf)
    return {
      t: 'stands',
      state: end?.state ?? 'running',
      outcome: end?.outcome ? [end.outcome] : [],
      failure: why ? [{ code: why.code, message: why.message.slice(0, MESSAGE_CHARS_MAX) }] : [],
    }
  }
}

/** To peers that keep nothing durable, as far as this one's owner lets them in. Before the network starts. */
export const serveCallers = (
  ports: Ports,
  { neighbours, office }: { neighbours: NeighbourTable; office: MembershipOffice },
  durable: Durable,
): void =>
  new Callers(ports, {
    durable,
    neighbour: (peer) => neighbours.get(peer),
    owner: () => office.ownerOf(ports.network.peerId, office.chain),
  }).serve(ports.network)

const refusalOf = (cause: unknown): MeshError => {
  if (cause instanceof MeshError) return cause
  throw cause
}

const refusal = (cause: unknown): Answer => {
  if (!(cause instanceof MeshError) || cause.code === 'E_MESSAGE') throw cause
  return { t: 'no', code: cause.code, message: cause.message.slice(0, MESSAGE_CHARS_MAX) }
}
