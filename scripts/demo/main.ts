/** `npm run demo`: six agents on this machine render a picture together; one lies, one is slow, one is killed. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { emptyFrame, place, TILES } from '../../examples/raytracer/plan.ts'
import { MeshError } from '../../protocol/errors.ts'
import { Agents, type DemoAgent } from './agents.ts'
import { connectHome } from './home.ts'
import { listenToKeys } from './keys.ts'
import { differingPixels, renderNatively, writePng } from './picture.ts'
import { DemoRecord, type Summary } from './record.ts'
import { type RenderedTile, renderOnMesh } from './render.ts'
import { isColourTerminal, LiveScreen, plainScreen } from './screen.ts'

const OUT = fileURLToPath(new URL('../../demo-out/', import.meta.url))
/** Without a terminal, the kill that people would make with `k`. */
const KILL_AT_TILE = Math.floor(TILES.length / 2)

class Demo {
  readonly #frame = emptyFrame()
  readonly #record = new DemoRecord()
  readonly #agents = new Agents()
  readonly #stop = new AbortController()
  readonly #screen = isColourTerminal()
    ? new LiveScreen(this.#frame, this.#record, () => this.#agents.all)
    : plainScreen(this.#record)
  #killed = false
  #startMs = 0
  #firstPictureMs = 0

  async run(): Promise<number> {
    const stopKeys = listenToKeys({
      k: () => this.#killOne(),
      l: () => this.#makeOneLie(),
      q: () => this.#stop.abort(),
    })
    try {
      await this.#agents.start((agent) => this.#introduce(agent))
      await this.#render()
    } finally {
      stopKeys()
      this.#screen.close()
      await this.#agents.stop()
    }
    return this.#conclude()
  }

  #introduce({ number, role, peer, pid }: DemoAgent): void {
    const manner = { honest: '', liar: ', which will lie', slow: ', which is slow' }[role]
    this.#screen.say(`agent ${number} is up: ${peer}, pid ${pid}${manner}`)
  }

  async #render(): Promise<void> {
    this.#startMs = performance.now()
    const { backend, functionCid } = await connectHome(this.#agents.ticket)
    try {
      await renderOnMesh(backend, functionCid, this.#stop.signal, (rendered) => this.#receive(rendered))
    } catch (cause) {
      if (!this.#stop.signal.aborted) throw cause
    } finally {
      await backend.close()
    }
  }

  #receive(rendered: RenderedTile): void {
    place(this.#frame, rendered.tile, rendered.pixels)
    const caught = this.#record.add(rendered, (peer) => this.#agents.byPeer(peer))
    const executor = this.#agents.byPeer(rendered.result.executors[0] ?? '')
    if (executor) this.#screen.tile({ tile: rendered.tile, agent: executor.number - 1 })
    for (const { peer } of caught) {
      this.#screen.say(
        `agent ${this.#agents.byPeer(peer)?.number} differs: two signed receipts for one task, one of them wrong`,
      )
    }
    if (this.#firstPictureMs === 0 && !this.#frame.step.includes(255)) {
      this.#firstPictureMs = Math.round(performance.now() - this.#startMs)
      this.#screen.say(`a whole picture after ${this.#firstPictureMs} ms; now finer`)
    }
    if (!this.#killed && this.#record.tiles >= KILL_AT_TILE) this.#killOne()
  }

  /** One that works, and of those the one with the most tiles, so that something of it is under way. */
  #killOne(): void {
    const honest = this.#agents.all.filter(({ alive, role, number }) => alive && role === 'honest' && number > 1)
    const tiles = ({ peer }: DemoAgent) => this.#record.tilesByPeer.get(peer) ?? 0
    const [victim] = honest.sort((a, b) => tiles(b) - tiles(a))
    if (!victim) return
    this.#killed = true
    this.#agents.kill(victim)
    this.#record.killedPids.push(victim.pid)
    this.#screen.say(`agent ${victim.number} was killed (SIGKILL, pid ${victim.pid}); its tiles go to others`)
  }

  #makeOneLie(): void {
    const agent = this.#agents.all.find(({ alive, role }) => alive && role === 'honest')
    if (!agent) return
    this.#agents.makeLie(agent)
    this.#screen.say(`agent ${agent.number} lies from now on`)
  }

  #conclude(): number {
    const totalMs = Math.round(performance.now() - this.#startMs)
    mkdirSync(OUT, { recursive: true })
    writePng(`${OUT}mesh.png`, this.#frame)
    console.log('rendering the same picture here, in this process, to compare …')
    const native = renderNatively()
    writePng(`${OUT}local.png`, native.frame)
    const differing = differingPixels(this.#frame, native.frame)
    const record = this.#record
    const summary: Summary = {
      tiles_by_peer: Object.fromEntries(record.tilesByPeer),
      executions_per_result: record.executionsPerResult,
      liars: [...record.caught.values()],
      killed_pids: record.killedPids,
      tiles_recovered: record.recovered,
      first_picture_ms: this.#firstPictureMs,
      total_ms: totalMs,
      native_ms: native.ms,
      differing_pixels: differing,
      identical: differing === 0,
    }
    writeFileSync(`${OUT}summary.json`, `${JSON.stringify(summary, undefined, 2)}\n`)
    this.#writeProofs()
    this.#print(summary)
    return record.done && summary.identical ? 0 : 1
  }

  /** Those of an earlier demo would be about other peers. */
  #writeProofs(): void {
    for (const name of readdirSync(OUT)) if (/^proof-\d+\.cbor$/.test(name)) rmSync(`${OUT}${name}`)
    for (const [name, proof] of this.#record.proofs) writeFileSync(`${OUT}${name}`, proof)
  }

  #print(summary: Summary): void {
    const { tiles } = this.#record
    console.log(
      `\n${tiles} of ${TILES.length} tiles, ${summary.executions_per_result} executions a tile, in ${summary.total_ms} ms`,
    )
    for (const { number, peer, role } of this.#agents.all) {
      const fate = summary.killed_pids.includes(this.#agents.byPeer(peer)?.pid ?? 0) ? ', killed' : ''
      const manner = role === 'honest' ? '' : `, ${role === 'liar' ? 'lied' : 'slow'}`
      console.log(
        `  agent ${number}  ${peer}  ${String(summary.tiles_by_peer[peer] ?? 0).padStart(4)} tiles${manner}${fate}`,
      )
    }
    for (const { peer, times, proof } of summary.liars) {
      console.log(`signed another answer: ${peer}, ${times} ${times === 1 ? 'time' : 'times'}`)
      if (proof) console.log(`  see for yourself: npx wayside verify ${proof}`)
    }
    console.log(`tiles recovered from agents that were lost or slow: ${summary.tiles_recovered}`)
    console.log(`a native run of the same source in V8 takes ${summary.native_ms} ms`)
    console.log(
      `identical to a local run: ${summary.identical ? 'yes' : `no, ${summary.differing_pixels} pixels differ`}`,
    )
    console.log(['demo-out/ has mesh.png, local.png, summary.json', ...this.#record.proofs.keys()].join(', '))
  }
}

try {
  process.exitCode = await new Demo().run()
} catch (cause) {
  const text = cause instanceof MeshError ? `${cause.code}: ${cause.message}` : cause
  console.error('the demo failed:', text)
  process.exitCode = 1
}
