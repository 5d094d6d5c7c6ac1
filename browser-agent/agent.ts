/** A page that lends: one peer for this origin, under the rules of a good guest, as its control shows and steers it. */
import { MeshError } from '../protocol/errors.ts'
import type { Log } from '../protocol/log.ts'
import type { Clock, Storage } from '../protocol/ports.ts'
import type { AgentView, LendingLimits } from './agent-view.ts'
import type { PageAssets } from './assets.ts'
import { createPageClock } from './clock.ts'
import { createPageCrypto, hasNativeEd25519 } from './crypto.ts'
import { erasePageDatabase, openPageDatabase } from './database.ts'
import { type DevicePort, watchDevice } from './guest/device.ts'
import { Presence } from './guest/presence.ts'
import { createGuestRules, type GuestRules } from './guest/rules.ts'
import { databaseOf } from './keeping.ts'
import { LendingPeer } from './lending-peer.ts'
import { keepLimits, keptLimits } from './limits.ts'
import { createPagePorts } from './ports.ts'
import { createPageStorage } from './storage.ts'
import { type Standing, viewOf } from './view.ts'

export interface PageAgentOptions extends PageAssets {
  /** A ticket; or a multiaddr, for a public mesh. */
  mesh: string
  /** PeerIds whose work is run; or `mesh`, `self`. */
  accept: readonly string[]
  /** Until the visitor chooses others. */
  limits?: Partial<LendingLimits>
}

export interface PageAgent {
  view(): AgentView
  /** Told of each change of the view, ten times a second at most. The returned function ends it. */
  subscribe(changed: (view: AgentView) => void): () => void
  /** As the visitor chooses; kept. */
  limit(limits: Partial<LendingLimits>): void
  pause(): void
  resume(): void
  /** A person does something in the page around this document. */
  touched(): void
  /** Runs nothing any more from this turn on; resolves once it has taken leave of its neighbours. */
  stop(): Promise<void>
  /** Stops, and erases key, memberships, storage, usage and limits. `waits`: another page has to let them go first. */
  forget(waits?: () => void): Promise<void>
}

/** How often a view is told of at most, and how often it is looked at while figures pass with time. */
const TOLD_EVERY_MS = 100
const LOOK_EVERY_MS = 1000
/** Another tab that leads is said so no sooner: taking the lead takes a moment. */
const LEAD_MS = 500

interface Ground {
  clock: Clock
  /** Of the rules, which outlive each peer. */
  storage: Storage
  database: string
  device: DevicePort
}

const asFailure = ({ code = 'E_INTERNAL', message }: MeshError) => ({ code, message })

/** Throws MeshError E_USAGE, E_TICKET or E_STORAGE. */
export const startPageAgent = async (options: PageAgentOptions): Promise<PageAgent> => {
  if (options.accept.length === 0) {
    throw new MeshError('E_USAGE', 'accept is empty; name the PeerIds whose work this page runs')
  }
  const verifying = createPageCrypto(await hasNativeEd25519(crypto.subtle))
  const database = await databaseOf('lends', options.mesh, verifying)
  const clock = createPageClock(options.workerUrl)
  const storage = createPageStorage(await openPageDatabase(database))
  const limits = await keptLimits(storage, options.limits)
  const ground = { clock, storage, database, device: watchDevice(window, clock) }
  return new Agent(options, ground, limits)
}

class Agent implements PageAgent {
  readonly #options: PageAgentOptions
  readonly #ground: Ground
  readonly #rules: GuestRules
  readonly #presence: Presence
  readonly #watchers = new Set<(view: AgentView) => void>()
  readonly #standing: Standing
  #told = ''
  #telling: (() => void) | undefined
  #looking: (() => void) | undefined
  #stopped: Promise<void> | undefined

  constructor(options: PageAgentOptions, ground: Ground, limits: LendingLimits) {
    const { clock, storage, device } = ground
    this.#options = options
    this.#ground = ground
    this.#standing = { sinceMs: clock.now(), accept: options.accept, hasJoined: false, isOver: false, isFinal: false }
    this.#rules = createGuestRules({ clock, storage, device, log: this.#log, limits })
    this.#rules.subscribe(() => this.#changed())
    this.#presence = new Presence({
      device,
      rules: this.#rules,
      locks: navigator.locks,
      begin: () => this.#begin(),
      failed: (cause) => this.#failed(cause as MeshError, true),
    })
    clock.after(LEAD_MS, () => this.#changed())
    this.#look()
  }

  view(): AgentView {
    const { clock } = this.#ground
    const isSettled = clock.now() - this.#standing.sinceMs >= LEAD_MS
    return viewOf(this.#standing, { verdict: this.#rules.verdict(), isSettled }, this.#rules, clock.now())
  }

  subscribe(changed: (view: AgentView) => void): () => void {
    this.#watchers.add(changed)
    return () => this.#watchers.delete(changed)
  }

  limit(limits: Partial<LendingLimits>): void {
    this.#rules.limit(limits)
    this.#standing.peer?.resize(this.#rules.limits.cores)
    const kept = (unkept: AgentView['unkept']) => {
      this.#standing.unkept = unkept
      this.#changed()
    }
    keepLimits(this.#ground.storage, this.#rules.limits).then(
      () => kept(undefined),
      (cause) => kept(asFailure(cause)),
    )
    this.#changed()
  }

  pause(): void {
    this.#rules.pause()
  }

  resume(): void {
    this.#rules.resume()
  }

  touched(): void {
    this.#ground.device.touched()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async forget(waits?: () => void): Promise<void> {
    // Also if it could not keep what it had to: nothing of that is to stay.
    await Promise.allSettled([this.stop()])
    await erasePageDatabase(this.#ground.database, waits)
  }

  /** What happens to a peer is a reason to look again. */
  get #log(): Log {
    return {
      event: (name) => {
        if (name === 'task.answered') this.#rules.used({ tasks: 1 })
        this.#changed()
      },
    }
  }

  async #begin(): Promise<LendingPeer> {
    const { workerUrl, engineUrl, tierUrl, mesh, accept } = this.#options
    const computed = (cpuMs: number) => this.#rules.used({ cpuMs })
    const carried = (bytes: number) => this.#rules.used({ bytes })
    const { database } = this.#ground
    const assets = { workerUrl, engineUrl, tierUrl }
    const ports = await createPagePorts({ database, ...assets, computed, carried, log: this.#log })
    const slots = this.#rules.limits.cores
    const failed = (cause: MeshError, isFinal: boolean) => this.#failed(cause, isFinal)
    const begun = () => this.#changed()
    const joined = () => {
      this.#standing.hasJoined = true
    }
    const peer = new LendingPeer(ports, { mesh, accept, slots, failed, begun, joined })
    this.#standing.peer = peer
    return peer
  }

  #failed(cause: MeshError, isFinal: boolean): void {
    this.#standing.failure = asFailure(cause)
    this.#standing.isFinal = isFinal
    this.#changed()
  }

  async #stop(): Promise<void> {
    const { storage, device } = this.#ground
    const ended = this.#presence.stop()
    this.#standing.isOver = true
    this.#tell()
    this.#telling?.()
    this.#looking?.()
    device.stop()
    await ended
    await this.#rules.stop()
    await storage.close()
  }

  #changed(): void {
    if (this.#standing.isOver) return
    this.#telling ??= this.#ground.clock.after(TOLD_EVERY_MS, () => {
      this.#telling = undefined
      this.#tell()
    })
  }

  #look(): void {
    this.#looking = this.#ground.clock.after(LOOK_EVERY_MS, () => {
      this.#tell()
      this.#look()
    })
  }

  #tell(): void {
    if (this.#watchers.size === 0) return
    const view = this.view()
    const text = JSON.stringify(view)
    if (text === this.#told) return
    this.#told = text
    for (const changed of this.#watchers) changed(view)
  }
}
