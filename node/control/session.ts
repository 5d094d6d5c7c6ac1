/** One connection's requests: each is carried out on its own and ended when the connection is. */
import type { OwnerAccess } from '../../peer/state/owner-access.ts'
import { MeshError } from '../../protocol/errors.ts'
import { Manifest } from '../../protocol/records.ts'
import type { Backend, BackendOptions } from '../../sdk/backend.ts'
import { Batch } from './batch.ts'
import { Credit, Inbox } from './flow.ts'
import { type AgentFrame, type CommandFrame, type CommandFrameOf, ITEM_BYTES } from './frames.ts'
import { delegationToWire, endToWire, invocationToWire } from './invocations.ts'
import { answerState, changeBytes, type WireChange } from './owner-state.ts'
import { itemToWire, resultToWire, wireBytes } from './results.ts'

/** What the owner's commands can do with the agent. */
export interface AgentControls {
  readonly backend: Omit<Backend, 'close'>
  /** Plain data, as `wayside status --json` prints it. */
  status(): Promise<object>
  /** A ticket, and the instant until which it holds; with `own` for a machine of the same owner. */
  invite(lifeMs: number, own: boolean): Promise<{ ticket: string; expires_ms: number }>
  /** Plain data, as `wayside mesh --json` prints it. */
  mesh(): object
  revoke(peer: string): Promise<void>
  /** Undefined: until `resume`. */
  pause(durationMs: number | undefined): void
  resume(): void
  /** Begins to stop; what the agent still has to say goes out first. */
  down(): void
  /** Throws MeshError E_NO_HOME where none is kept. */
  state(): OwnerAccess
  /** Lines of the log as JSON text, the newest last; with `follow` also those to come, until aborted. */
  logs(options: { follow: boolean; about: string | undefined; signal: AbortSignal }): AsyncIterable<string>
}

/** More than any command has under way at once. */
export const REQUESTS_MAX = 65_536
/** A call that waits says so again no sooner. */
const WAIT_EVERY_MS = 2000

type Starting = Exclude<CommandFrame, { t: 'hello' | 'inputs' | 'end' | 'more' | 'cancel' }>

interface Running {
  readonly abort: AbortController
  readonly credit: Credit
  /** Of a map: the inputs that came. */
  readonly inputs: Inbox<Uint8Array>
}

export class Session {
  readonly #controls: AgentControls
  readonly #send: (frame: AgentFrame) => void
  readonly #running = new Map<number, Running>()

  constructor(controls: AgentControls, send: (frame: AgentFrame) => void) {
    this.#controls = controls
    this.#send = send
  }

  /** Throws MeshError E_MESSAGE for a frame that has no place here. */
  onFrame(frame: CommandFrame): void {
    switch (frame.t) {
      case 'hello':
        throw new MeshError('E_MESSAGE', 'a second hello')
      case 'inputs':
        for (const input of frame.inputs) this.#running.get(frame.id)?.inputs.push(input, input.length + ITEM_BYTES)
        return
      case 'end':
        return this.#running.get(frame.id)?.inputs.end()
      case 'more':
        return this.#running.get(frame.id)?.credit.add(frame.bytes)
      case 'cancel':
        return this.#cancel(frame.id)
      default:
        this.#start(frame)
    }
  }

  close(): void {
    for (const id of [...this.#running.keys()]) this.#cancel(id)
  }

  #cancel(id: number): void {
    const running = this.#running.get(id)
    running?.abort.abort()
    running?.inputs.end(new MeshError('E_CANCELLED', 'the caller cancelled'))
    running?.credit.add(Number.MAX_SAFE_INTEGER / 2)
  }

  #start(frame: Starting): void {
    const { id } = frame
    if (this.#running.has(id) || this.#running.size >= REQUESTS_MAX)
      throw new MeshError('E_MESSAGE', `request ${id} is under way already, or too many are`)
    const running: Running = {
      abort: new AbortController(),
      credit: new Credit(),
      inputs: new Inbox((bytes) => this.#send({ t: 'more', id, bytes })),
    }
    this.#running.set(id, running)
    this.#perform(frame, running)
      .catch((cause) => this.#fail(id, cause))
      .finally(() => this.#running.delete(id))
  }

  #fail(id: number, cause: unknown): void {
    const error =
      cause instanceof MeshError ? cause : new MeshError('E_INTERNAL', String((cause as Error).stack ?? cause))
    this.#send({ t: 'failed', id, code: error.code, message: error.message })
  }

  async #perform(frame: Starting, running: Running): Promise<void> {
    const { id } = frame
    const { backend } = this.#controls
    switch (frame.t) {
      case 'status':
        return this.#send({ t: 'status', id, status: (await this.#controls.status()) as Record<string, unknown> })
      case 'pause':
        this.#controls.pause(frame.duration_ms ?? undefined)
        return this.#send({ t: 'done', id })
      case 'resume':
        this.#controls.resume()
        return this.#send({ t: 'done', id })
      case 'invite':
        return this.#send({ t: 'invited', id, ...(await this.#controls.invite(frame.life_ms, frame.own)) })
      case 'mesh':
        return this.#send({ t: 'mesh', id, mesh: this.#controls.mesh() as Record<string, unknown> })
      case 'revoke':
        await this.#controls.revoke(frame.peer)
        return this.#send({ t: 'done', id })
      case 'down':
        this.#send({ t: 'done', id })
        return this.#controls.down()
      case 'logs':
        return this.#logs(frame, running)
      case 'publish': {
        const { t: _t, id: _id, ...bundle } = frame
        const { cid, manifest } = await backend.publish(bundle)
        return this.#send({ t: 'published', id, function: cid, manifest: Manifest.encode(manifest) })
      }
      case 'manifest':
        return this.#send({ t: 'manifest', id, manifest: Manifest.encode(await backend.manifest(frame.function)) })
      case 'call':
        return this.#call(frame, running)
      case 'map':
        return this.#map(frame, running)
      case 'state_get':
      case 'state_put':
      case 'state_list':
      case 'state_move':
      case 'state_load':
        return this.#send(await answerState(this.#controls.state(), frame))
      case 'state_watch':
        return this.#watch(frame, running)
      case 'start':
      case 'ps':
      case 'ending':
      case 'kill':
      case 'recording':
      case 'delegations':
        return this.#send(await this.#durable(frame, running))
    }
  }

  async #durable(
    frame: CommandFrameOf<'start' | 'ps' | 'ending' | 'kill' | 'recording' | 'delegations'>,
    running: Running,
  ): Promise<AgentFrame> {
    const { id } = frame
    const { durable } = this.#controls.backend
    switch (frame.t) {
      case 'start': {
        const { function: functionCid, export: exportName, input } = frame
        const wanted = { ...this.#options(frame, running), function: functionCid, export: exportName, input }
        return { t: 'started', id, invocation: await durable.start(wanted) }
      }
      case 'ps':
        return { t: 'invocations', id, invocations: (await durable.list(frame.all)).map(invocationToWire) }
      case 'ending': {
        const { signal } = running.abort
        const end = frame.wait ? await durable.wait(frame.invocation, signal) : await durable.end(frame.invocation)
        return { t: 'ended', id, end: end ? endToWire(end) : null }
      }
      case 'kill':
        return { t: 'killed', id, was_running: await durable.cancel(frame.invocation) }
      case 'delegations':
        return { t: 'delegations', id, delegations: (await durable.delegations()).standing.map(delegationToWire) }
      case 'recording':
        return { t: 'recorded', id, recorded: await durable.recorded(frame.invocation) }
    }
  }

  async #call(frame: CommandFrameOf<'call'>, running: Running): Promise<void> {
    const { id, function: functionCid, export: exportName, input, receipt, trace_ticks } = frame
    const options = this.#options(frame, running)
    const result = await this.#controls.backend.call({
      ...options,
      function: functionCid,
      export: exportName,
      input,
      receipt,
      traceTicks: trace_ticks ?? undefined,
    })
    this.#send({ t: 'result', id, result: resultToWire(result) })
  }

  async #map(frame: CommandFrameOf<'map'>, running: Running): Promise<void> {
    const { id, function: functionCid, export: exportName, unordered } = frame
    const { credit, inputs } = running
    const map = { ...this.#options(frame, running), function: functionCid, export: exportName, inputs, unordered }
    const batch = new Batch<ReturnType<typeof itemToWire>>((items) => this.#send({ t: 'results', id, items }))
    for await (const items of this.#controls.backend.map(map)) {
      for (const one of items) {
        const item = itemToWire(one)
        batch.add(item, wireBytes(item))
        credit.spend(wireBytes(item))
        if (running.abort.signal.aborted) throw new MeshError('E_CANCELLED', 'the caller cancelled')
        if (credit.hasRoom) continue
        batch.flush()
        await credit.room()
      }
    }
    batch.flush()
    this.#send({ t: 'done', id })
  }

  async #logs(frame: CommandFrameOf<'logs'>, { abort, credit }: Running): Promise<void> {
    const { id, follow } = frame
    const batch = new Batch<string>((lines) => this.#send({ t: 'lines', id, lines }))
    for await (const line of this.#controls.logs({ follow, about: frame.about ?? undefined, signal: abort.signal })) {
      batch.add(line, line.length)
      credit.spend(line.length + ITEM_BYTES)
      if (!credit.hasRoom) {
        batch.flush()
        await credit.room()
      }
    }
    batch.flush()
    this.#send({ t: 'done', id })
  }

  async #watch(frame: CommandFrameOf<'state_watch'>, { abort, credit }: Running): Promise<void> {
    const { id, namespace, prefix, after } = frame
    const batch = new Batch<WireChange>((changes) => this.#send({ t: 'state_changes', id, changes }))
    const changes = this.#controls.state().watch(namespace, prefix, after ?? undefined, abort.signal)
    for await (const change of changes) {
      const one = { ...change, value: change.value ?? null }
      batch.add(one, changeBytes(one))
      credit.spend(changeBytes(one))
      if (credit.hasRoom) continue
      batch.flush()
      await credit.room()
    }
    batch.flush()
    this.#send({ t: 'done', id })
  }

  #options(frame: CommandFrameOf<'call' | 'map' | 'start'>, { abort }: Running): BackendOptions {
    let quietUntilMs = 0
    return {
      verify: frame.verify ?? undefined,
      timeoutMs: frame.timeout_ms,
      limits: frame.limits ?? undefined,
      remote: frame.remote,
      public: frame.public,
      grants: frame.grants ?? undefined,
      signal: abort.signal,
      onWait: (reason) => {
        if (performance.now() < quietUntilMs) return
        quietUntilMs = performance.now() + WAIT_EVERY_MS
        this.#send({ t: 'wait', id: frame.id, reason })
      },
    }
  }
}
