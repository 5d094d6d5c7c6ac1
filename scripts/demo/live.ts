/** `npm run demo -- --live`: six honest agents and an eye that goes round, until `q`. Without a terminal, some frames and a kill. */
import { Agents } from './agents.ts'
import { listenToKeys } from './keys.ts'
import { LiveAct } from './live-act.ts'
import { HEIGHT, WIDTH } from './live-frame.ts'
import { isColourTerminal, LiveScreen, plainScreen } from './screen.ts'

/** Without a terminal: so many frames, and a kill after some of them. */
const FRAMES = 40
const KILL_AT_FRAME = 15
const HONEST = ['honest', 'honest', 'honest', 'honest', 'honest', 'honest'] as const
const KEYS = { k: 'kill an agent', q: 'end' }
/** More often than frames come. */
const DRAW_EVERY_MS = 40

export class LiveDemo {
  readonly #agents = new Agents(HONEST)
  readonly #stop = new AbortController()
  readonly #isLive = isColourTerminal()
  readonly #screen = this.#isLive ? new LiveScreen(() => this.#agents.all, KEYS, DRAW_EVERY_MS) : plainScreen()
  readonly #killedPids: number[] = []
  readonly #act: LiveAct = new LiveAct({
    agentOf: (peer) => this.#agents.byPeer(peer),
    frameCame: () => this.#frameCame(),
  })
  #fromMs = 0
  #longestMs = 0
  #lastMs = 0

  async run(): Promise<number> {
    const stopKeys = listenToKeys({ k: () => this.#killOne(), q: () => this.#stop.abort() })
    try {
      await this.#agents.start(({ number, pid }) => this.#screen.say(`agent ${number} is up (pid ${pid})`))
      this.#screen.show(this.#act)
      await this.#act.run(this.#agents.ticket, this.#stop.signal)
    } finally {
      stopKeys()
      this.#screen.close()
      await this.#agents.stop()
    }
    console.log(JSON.stringify(this.#figures()))
    return 0
  }

  #frameCame(): void {
    const nowMs = performance.now()
    this.#fromMs ||= nowMs
    if (this.#lastMs > 0) this.#longestMs = Math.max(this.#longestMs, nowMs - this.#lastMs)
    this.#lastMs = nowMs
    if (this.#isLive) return
    this.#act.take()
    this.#screen.moved()
    if (this.#act.shown === KILL_AT_FRAME) this.#killOne()
    if (this.#act.shown >= FRAMES) this.#stop.abort()
  }

  /** The one that has computed most: something of it is under way. */
  #killOne(): void {
    const others = this.#agents.all.filter(({ alive, number }) => alive && number > 1)
    const [victim] = others.sort((a, b) => this.#act.answersOf(b.peer) - this.#act.answersOf(a.peer))
    if (!victim) return
    this.#agents.kill(victim)
    this.#killedPids.push(victim.pid)
    this.#screen.say(`agent ${victim.number} was killed (SIGKILL, pid ${victim.pid}); its work goes to others`)
  }

  /** As measured between the first frame and the last. */
  #figures() {
    const seconds = (this.#lastMs - this.#fromMs) / 1000
    return {
      frames: this.#act.shown,
      frames_per_s: Math.round((10 * (this.#act.shown - 1)) / seconds) / 10,
      longest_gap_ms: Math.round(this.#longestMs),
      width: WIDTH,
      height: HEIGHT,
      killed_pids: this.#killedPids,
      recovered: this.#act.recovered,
      fuel_per_frame: Math.round(this.#act.fuel / Math.max(1, this.#act.shown)),
    }
  }
}
