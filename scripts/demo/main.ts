/**
 * `npm run demo`: six agents on this machine, of which one lies, one is slow and one is killed, render a picture together;
 * then they search a million numbers, and the liar is cleverer. With `--live`: live.ts.
 */

import { TILES } from '../../examples/raytracer/plan.ts'
import { PROBATION_RECEIPTS } from '../../peer/trust.ts'
import { MeshError } from '../../protocol/errors.ts'
import { Agents, type DemoAgent } from './agents.ts'
import type { Culprit, ProofFiles } from './culprits.ts'
import { listenToKeys } from './keys.ts'
import { PictureAct } from './picture-act.ts'
import { isColourTerminal, LiveScreen, plainScreen } from './screen.ts'
import { LIMIT } from './search.ts'
import { SearchAct } from './search-act.ts'
import { conclude } from './summary.ts'

/** Without a terminal, the kill that people would make with `k`. */
const KILL_AT_TILE = Math.floor(TILES.length / 2)
/** The slow one with a task of a millisecond. */
const SLOW_TASK_MS = 100

class Demo {
  readonly #agents = new Agents(undefined, (agent, ran) => this.#act.effort.ran(agent, ran))
  readonly #files: ProofFiles = new Map()
  readonly #stop = new AbortController()
  readonly #screen = isColourTerminal() ? new LiveScreen(() => this.#agents.all) : plainScreen()
  readonly #killedPids: number[] = []
  readonly #picture = new PictureAct(this.#files, {
    say: (line) => this.#screen.say(line),
    agentOf: (peer) => this.#agents.byPeer(peer),
    moved: () => this.#tileCame(),
    differs: (culprit) => this.#sayDiffers(culprit),
  })
  readonly #search = new SearchAct(this.#files, {
    agentOf: (peer) => this.#agents.byPeer(peer),
    moved: () => this.#screen.moved(),
    differs: (culprit) => this.#sayConvicted(culprit),
    isTrusted: (peer) => this.#awaken(peer),
  })
  #act: PictureAct | SearchAct = this.#picture

  async run(): Promise<number> {
    const stopKeys = listenToKeys({
      k: () => this.#killOne(),
      l: () => this.#makeOneLie(),
      q: () => this.#stop.abort(),
    })
    try {
      await this.#agents.start((agent) => this.#introduce(agent))
      await this.#perform()
    } catch (cause) {
      if (!this.#stop.signal.aborted) throw cause
    } finally {
      stopKeys()
      this.#screen.close()
      await this.#agents.stop()
    }
    return conclude({
      agents: this.#agents.all,
      picture: this.#picture,
      search: this.#search,
      files: this.#files,
      killedPids: this.#killedPids,
    })
  }

  async #perform(): Promise<void> {
    const { signal } = this.#stop
    this.#screen.show(this.#picture)
    await this.#picture.run(this.#agents.ticket, signal)
    await this.#agents.revive((agent) => this.#screen.say(`agent ${agent.number} is back`))
    for (const agent of this.#agents.all) {
      if (agent.role === 'liar') this.#agents.makeLie(agent, 0)
      if (agent.role === 'slow') this.#agents.makeSlow(agent, SLOW_TASK_MS)
    }
    this.#act = this.#search
    this.#screen.show(this.#search)
    this.#screen.say(
      `the second act, for a caller who knows nobody yet: which number below ${LIMIT} goes the longest way?`,
    )
    await this.#search.run(this.#agents.ticket, signal, () =>
      this.#screen.say('the same once more: what was verified is answered from the memo'),
    )
  }

  /** What a clever liar waits for: then it lies in one of five answers. */
  #awaken(peer: string): void {
    const agent = this.#agents.byPeer(peer)
    if (agent?.role !== 'liar') return
    this.#agents.makeLie(agent, 5)
    this.#screen.say(
      `agent ${agent.number} has behaved for ${PROBATION_RECEIPTS} receipts; from now on it makes up one answer in five`,
    )
  }

  #introduce({ number, role, peer, pid }: DemoAgent): void {
    const manner = { honest: '', liar: ', which will lie', forger: ', which forges', slow: ', which is slow' }[role]
    this.#screen.say(`agent ${number} is up: ${peer}, pid ${pid}${manner}`)
  }

  #sayDiffers({ peer }: Culprit): void {
    const { number } = this.#agents.byPeer(peer) ?? {}
    this.#screen.say(`agent ${number} differs: two signed receipts for one task, one of them wrong`)
  }

  #sayConvicted({ peer }: Culprit): void {
    const { number } = this.#agents.byPeer(peer) ?? {}
    const wrong = this.#search.acceptedWrong
    this.#screen.say(
      `agent ${number} is convicted by a run here; ${wrong} wrong answers had got through, and what it did last is checked again`,
    )
  }

  #tileCame(): void {
    this.#screen.moved()
    if (this.#killedPids.length === 0 && this.#picture.tiles >= KILL_AT_TILE) this.#killOne()
  }

  /** One that works, and of those the one that has answered most, so that something of it is under way. */
  #killOne(): void {
    const honest = this.#agents.all.filter(({ alive, role, number }) => alive && role === 'honest' && number > 1)
    const [victim] = honest.sort((a, b) => this.#act.answersOf(b.peer) - this.#act.answersOf(a.peer))
    if (!victim) return
    this.#agents.kill(victim)
    this.#act.effort.killed(victim.number)
    this.#killedPids.push(victim.pid)
    this.#screen.say(`agent ${victim.number} was killed (SIGKILL, pid ${victim.pid}); its work goes to others`)
  }

  #makeOneLie(): void {
    const agent = this.#agents.all.find(({ alive, role }) => alive && role === 'honest')
    if (!agent) return
    this.#agents.makeLie(agent, this.#act === this.#picture ? 1 : 5)
    this.#screen.say(`agent ${agent.number} lies from now on`)
  }
}

try {
  const isLive = process.argv.includes('--live')
  process.exitCode = await (isLive ? new (await import('./live.ts')).LiveDemo() : new Demo()).run()
} catch (cause) {
  const text = cause instanceof MeshError ? `${cause.code}: ${cause.message}` : cause
  console.error('the demo failed:', text)
  process.exitCode = 1
}
